//! The management socket: subcommands on the host ask the running process through it. One line of
//! JSON in, one line out. Only the process's own user (or root) can reach it.

use domain::{
    Failure,
    identity::{CreatedToken, NewToken, NewUser, User},
};
use identity::Secret;
use serde::{Deserialize, Serialize};
use service::Service;
use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longest line either side reads.
const MAX_LINE: u64 = 64 * 1024;
/// How long one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The administrator whose rights the host has when it makes users.
const ADMINISTRATOR: &str = "admin";

/// What a subcommand asks.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    LoginLink { user: Option<String> },
    CreateToken { user: String, new: NewToken },
    CreateUser { new: NewUser },
}

/// What it is answered.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The secret of the link; the address is made by whoever prints it.
    LoginLink {
        secret: String,
    },
    Token {
        created: CreatedToken,
    },
    User {
        user: User,
    },
    Failed {
        failure: Failure,
    },
}

/// Where the socket of a data directory is.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("penstock.sock")
}

/// Carries out a command on an open console.
pub async fn carry_out(service: &Service, command: Command) -> Answer {
    let result = match command {
        Command::LoginLink { user } => {
            let secret = service.host_login_link(user.as_deref()).await;
            secret.map(|secret: Secret| Answer::LoginLink {
                secret: secret.expose().to_owned(),
            })
        }
        Command::CreateToken { user, new } => create_token(service, &user, new).await,
        Command::CreateUser { new } => create_user(service, new).await,
    };
    result.unwrap_or_else(|error| {
        if let Some(cause) = error.cause() {
            tracing::error!(cause, "a command of the host failed inside");
        }
        Answer::Failed {
            failure: error.failure,
        }
    })
}

async fn create_token(service: &Service, user: &str, new: NewToken) -> service::Result<Answer> {
    let viewer = service.host_viewer(user).await?;
    let created = service.create_token(&viewer, new).await?;
    Ok(Answer::Token { created })
}

async fn create_user(service: &Service, new: NewUser) -> service::Result<Answer> {
    let viewer = service.host_viewer(ADMINISTRATOR).await?;
    let user = service.create_user(&viewer, new).await?;
    Ok(Answer::User { user })
}

/// Opens the socket. It appears under its name only after its rights are set.
///
/// # Errors
/// When the directory does not allow it.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = socket_path(data_dir);
    let new = path.with_extension("sock.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    fs::rename(&new, &path)?;
    Ok(listener)
}

/// Answers commands until `stop`.
pub async fn serve(listener: UnixListener, data_dir: PathBuf, service: Service, stop: CancellationToken) {
    let path = socket_path(&data_dir);
    let owner = fs::metadata(&path).map(|meta| meta.uid()).ok();
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if is_trusted(&stream, owner) => {
                let service = service.clone();
                tasks.spawn(async move {
                    if let Ok(Err(error)) = tokio::time::timeout(TIMEOUT, answer(stream, &service)).await {
                        tracing::warn!(%error, "a command of the host broke off");
                    }
                });
            }
            Ok(_) => tracing::warn!("a stranger on the host tried the management socket"),
            Err(error) => {
                tracing::warn!(%error, "the management socket does not accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // The next start takes the name over anyway; a leftover only makes a client's error less clear.
    let _ = fs::remove_file(path);
}

fn is_trusted(stream: &UnixStream, owner: Option<u32>) -> bool {
    let peer = stream.peer_cred().map(|cred| cred.uid()).ok();
    peer == Some(0) || (peer.is_some() && peer == owner)
}

async fn answer(stream: UnixStream, service: &Service) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(MAX_LINE)).read_line(&mut line).await?;
    let command: Command = serde_json::from_str(&line)?;
    let mut out = serde_json::to_vec(&carry_out(service, command).await)?;
    out.push(b'\n');
    writer.write_all(&out).await
}

/// Asks the running process; `None` when none listens.
///
/// # Errors
/// When it listens and does not answer.
pub async fn ask(data_dir: &Path, command: &Command) -> io::Result<Option<Answer>> {
    let stream = match UnixStream::connect(socket_path(data_dir)).await {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let exchange = async {
        let (reader, mut writer) = stream.into_split();
        let mut out = serde_json::to_vec(command)?;
        out.push(b'\n');
        writer.write_all(&out).await?;
        let mut line = String::new();
        BufReader::new(reader.take(MAX_LINE)).read_line(&mut line).await?;
        Ok(Some(serde_json::from_str(&line)?))
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
