//! Artifacts: uploaded files, kept by their content. What a client calls a file is shown and never
//! becomes part of a path.

mod class;
mod jar;

use crate::{Error, Result, Service, audit::Entry, clock::new_id, jobs::team_of, require, require_shared};
use bytes::Bytes;
use domain::{
    Action, Code, Failure, Viewer,
    artifact::{Artifact, ArtifactKind, MAX_ARTIFACT_BYTES, NewUpload, PART_BYTES, UploadTicket},
    id::{ArtifactId, TeamId, UploadId},
    validate,
};
use futures::{Stream, StreamExt};
use jar::Jar;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    pin::pin,
};
use store::{artifacts::NewArtifact, uploads::UploadRow};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Uploads one user may have under way.
const MAX_UPLOADS: i64 = 20;
/// How much of a program in Python is looked at.
const TEXT_HEAD: u64 = 64 * 1024;

impl Service {
    /// The artifacts of the viewer's teams, newest first.
    pub async fn artifacts(&self, viewer: &Viewer) -> Result<Vec<Artifact>> {
        require_shared(viewer, Action::ArtifactRead)?;
        Ok(store::artifacts::list(self.db(), &viewer.scope()).await?)
    }

    pub async fn artifact(&self, viewer: &Viewer, id: &ArtifactId) -> Result<Artifact> {
        let artifact = store::artifacts::get(self.db(), &viewer.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("artifact"))?;
        require(viewer, Action::ArtifactRead, &artifact.team)?;
        Ok(artifact)
    }

    /// Announces a file. When the team has its content already, nothing needs to be sent.
    pub async fn start_upload(&self, viewer: &Viewer, new: NewUpload) -> Result<UploadTicket> {
        let team = team_of(viewer, new.team.as_ref())?;
        require(viewer, Action::ArtifactWrite, &team)?;
        check_name(&new.name)?;
        validate::range("size", new.size, 1, MAX_ARTIFACT_BYTES)?;
        let sha256 = new.sha256.map(|hash| hash.to_ascii_lowercase());
        if sha256
            .as_ref()
            .is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(Failure::new(Code::FieldInvalid)
                .with("field", "sha256")
                .with("reason", "64 hex digits")
                .into());
        }
        if let Some(hash) = &sha256
            && let Some(artifact) = self.known_content(viewer, &team, &new.name, hash).await?
        {
            return Ok(UploadTicket::Known { artifact });
        }
        if store::uploads::count(self.db(), &viewer.user).await? >= MAX_UPLOADS {
            return Err(Failure::new(Code::TooMany).with("seconds", 60).into());
        }
        let now = self.now();
        let row = UploadRow {
            id: new_id!(UploadId, now),
            team,
            user: viewer.user.clone(),
            name: new.name,
            size: new.size,
            sha256,
            part_size: PART_BYTES,
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.db().begin().await?;
        store::uploads::insert(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(ticket(&row, Vec::new()))
    }

    /// Which parts of an upload have arrived.
    pub async fn upload_status(&self, viewer: &Viewer, id: &UploadId) -> Result<UploadTicket> {
        let row = self.upload(viewer, id).await?;
        let parts = store::uploads::parts(self.db(), id).await?;
        Ok(ticket(&row, parts))
    }

    async fn upload(&self, viewer: &Viewer, id: &UploadId) -> Result<UploadRow> {
        store::uploads::get(self.db(), &viewer.user, id)
            .await?
            .ok_or_else(|| Error::not_found("upload"))
    }

    /// Takes part `number`, counted from 0. A part that broke off is simply sent again.
    pub async fn put_part<S>(&self, viewer: &Viewer, id: &UploadId, number: i64, body: S) -> Result<()>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let row = self.upload(viewer, id).await?;
        let wrong = |reason: String| {
            Error::from(
                Failure::new(Code::UploadPart)
                    .with("part", number)
                    .with("reason", reason),
            )
        };
        let parts = parts_of(&row);
        if !(0..parts).contains(&number) {
            return Err(wrong(format!("there are parts 0 to {}", parts - 1)));
        }
        let offset = number * row.part_size;
        let expected = (row.size - offset).min(row.part_size);
        let path = self.upload_path(id);
        let mut file = tokio::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .await
            .map_err(disk)?;
        file.seek(io::SeekFrom::Start(offset.unsigned_abs()))
            .await
            .map_err(disk)?;
        let mut received = 0;
        let mut body = pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk =
                chunk.map_err(|e| wrong(format!("it broke off after {received} bytes ({})", e.kind())))?;
            received += chunk.len() as i64;
            if received > expected {
                return Err(wrong(format!("it is longer than {expected} bytes")));
            }
            file.write_all(&chunk).await.map_err(disk)?;
        }
        if received != expected {
            return Err(wrong(format!("{received} of {expected} bytes arrived")));
        }
        file.flush().await.map_err(disk)?;
        file.sync_data().await.map_err(disk)?;
        let mut tx = self.db().begin().await?;
        if !store::uploads::add_part(&mut tx, id, number, self.now()).await? {
            return Err(Error::not_found("upload"));
        }
        Ok(tx.commit().await?)
    }

    /// Checks a whole upload and makes an artifact of it.
    pub async fn complete_upload(&self, viewer: &Viewer, id: &UploadId) -> Result<Artifact> {
        let row = self.upload(viewer, id).await?;
        let have = store::uploads::parts(self.db(), id).await?;
        let missing: Vec<String> = (0..parts_of(&row))
            .filter(|n| !have.contains(n))
            .take(20)
            .map(|n| n.to_string())
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(Code::UploadIncomplete)
                .with("missing", missing.join(", "))
                .into());
        }
        let path = self.upload_path(id);
        let artifact = self
            .keep(viewer, &row.team, &row.name, &path, row.sha256.as_deref())
            .await?;
        let mut tx = self.db().begin().await?;
        store::uploads::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(artifact)
    }

    /// Takes a whole file in one body.
    pub async fn store_artifact<S>(
        &self,
        viewer: &Viewer,
        team: Option<TeamId>,
        name: &str,
        body: S,
    ) -> Result<Artifact>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let team = team_of(viewer, team.as_ref())?;
        require(viewer, Action::ArtifactWrite, &team)?;
        check_name(name)?;
        let path = self
            .inner
            .config
            .data_dir
            .join("uploads")
            .join(crate::clock::ulid(self.now()));
        let received = receive(&path, body).await;
        let kept = match received {
            Ok(()) => self.keep(viewer, &team, name, &path, None).await,
            Err(error) => Err(error),
        };
        // Already moved when it was kept.
        let _ = tokio::fs::remove_file(&path).await;
        kept
    }

    /// Moves a received file to its place by content and records it.
    async fn keep(
        &self,
        viewer: &Viewer,
        team: &TeamId,
        name: &str,
        path: &Path,
        announced: Option<&str>,
    ) -> Result<Artifact> {
        let (size, sha256) = hash(path).await?;
        if let Some(expected) = announced
            && expected != sha256
        {
            return Err(Failure::new(Code::ChecksumMismatch)
                .with("expected", expected)
                .with("actual", sha256)
                .into());
        }
        let opened = std::fs::File::open(path).map_err(disk)?;
        let kind = ArtifactKind::of(name).ok_or_else(unusable_name)?;
        let jar = tokio::task::spawn_blocking(move || inspect(kind, opened))
            .await
            .map_err(Error::internal)?;
        let jar = jar.map_err(|reason| {
            Failure::new(Code::JarInvalid)
                .with("name", name)
                .with("reason", reason)
        })?;
        let place = self.artifact_path(&sha256);
        tokio::fs::rename(path, &place).await.map_err(disk)?;
        if let Some(known) = self.known_content(viewer, team, name, &sha256).await? {
            return Ok(known);
        }
        let now = self.now();
        let new = NewArtifact {
            id: new_id!(ArtifactId, now),
            team: team.clone(),
            name: name.to_owned(),
            sha256,
            size,
            main_classes: jar.main_classes,
            manifest_class: jar.manifest_class,
            created_by: viewer.user.clone(),
            created_at: now,
        };
        let mut tx = self.db().begin().await?;
        let version = store::artifacts::insert(&mut tx, &new).await?;
        let detail = json!({ "name": name, "version": version, "sha256": new.sha256, "size": size });
        self.record(
            &mut tx,
            Entry::by(viewer, Action::ArtifactWrite, new.id.as_str(), Some(team), detail),
        )
        .await?;
        tx.commit().await?;
        self.artifact(viewer, &new.id).await
    }

    /// The team's artifact of this name and content, if its file is still there.
    async fn known_content(
        &self,
        viewer: &Viewer,
        team: &TeamId,
        name: &str,
        sha256: &str,
    ) -> Result<Option<Artifact>> {
        let Some(known) = store::artifacts::find(self.db(), team, name, sha256).await? else {
            return Ok(None);
        };
        let there = tokio::fs::try_exists(self.artifact_path(sha256))
            .await
            .map_err(disk)?;
        if there {
            Ok(Some(self.artifact(viewer, &known.id).await?))
        } else {
            Ok(None)
        }
    }

    /// Where the content of an artifact lies on the console host.
    pub(crate) fn artifact_path(&self, sha256: &str) -> PathBuf {
        self.inner.config.data_dir.join("artifacts").join(sha256)
    }

    pub(crate) fn upload_path(&self, id: &UploadId) -> PathBuf {
        self.inner.config.data_dir.join("uploads").join(id.as_str())
    }
}

fn ticket(row: &UploadRow, received: Vec<i64>) -> UploadTicket {
    UploadTicket::Open {
        id: row.id.clone(),
        part_size: row.part_size,
        parts: parts_of(row),
        received,
    }
}

fn parts_of(row: &UploadRow) -> i64 {
    (row.size + row.part_size - 1) / row.part_size
}

fn check_name(name: &str) -> Result<()> {
    validate::line("name", name, 200)?;
    if name.contains(['/', '\\']) || ArtifactKind::of(name).is_none() {
        return Err(unusable_name().into());
    }
    Ok(())
}

fn unusable_name() -> Failure {
    let endings = ArtifactKind::ENDINGS.map(|(ending, _)| format!("example{ending}"));
    Failure::new(Code::FieldInvalid)
        .with("field", "name")
        .with("reason", endings.join(", "))
}

/// What a file offers, or why it is not what its name says.
fn inspect(kind: ArtifactKind, file: std::fs::File) -> std::result::Result<Jar, String> {
    match kind {
        ArtifactKind::Jar => jar::inspect(file),
        // An archive too, in which there is nothing to start.
        ArtifactKind::PythonPackage => jar::inspect(file).map(|_| Jar::default()),
        ArtifactKind::Python => text(file).map(|()| Jar::default()),
    }
}

/// Passes when a file can be a program in Python, as far as its beginning tells.
fn text(file: std::fs::File) -> std::result::Result<(), String> {
    let mut head = Vec::new();
    file.take(TEXT_HEAD)
        .read_to_end(&mut head)
        .map_err(|error| format!("it cannot be read ({error})"))?;
    if head.contains(&0) {
        return Err("it is no text".to_owned());
    }
    Ok(())
}

fn disk(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::StorageFull {
        Code::DiskFull.into()
    } else {
        Error::internal(error)
    }
}

async fn receive<S>(path: &Path, body: S) -> Result<()>
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    let mut file = tokio::fs::File::create_new(path).await.map_err(disk)?;
    let mut received = 0;
    let mut body = pin!(body);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| {
            Failure::new(Code::UploadPart)
                .with("part", 0)
                .with("reason", e.kind())
        })?;
        received += chunk.len() as i64;
        if received > MAX_ARTIFACT_BYTES {
            return Err(Failure::new(Code::BodyTooLarge).with("limit", "512 MiB").into());
        }
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_data().await.map_err(disk)
}

async fn hash(path: &Path) -> Result<(i64, String)> {
    let mut file = tokio::fs::File::open(path).await.map_err(disk)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).await.map_err(disk)?;
        if read == 0 {
            return Ok((size, hex::encode(hasher.finalize())));
        }
        hasher.update(&buffer[..read]);
        size += read as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn file(bytes: &[u8]) -> std::fs::File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_file_must_be_what_its_name_says() {
        assert!(inspect(ArtifactKind::Python, file("print('é')\n".as_bytes())).is_ok());
        assert!(inspect(ArtifactKind::Python, file(b"PK\x03\x04\0\0")).is_err());
        assert!(inspect(ArtifactKind::PythonPackage, file(b"print(1)")).is_err());
        assert!(check_name("main.py").is_ok() && check_name("deps.egg").is_ok());
        assert!(check_name("main.exe").is_err() && check_name("a/b.jar").is_err());
    }
}
