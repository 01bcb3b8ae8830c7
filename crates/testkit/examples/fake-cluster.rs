//! Runs a fake cluster until interrupted and writes its client files to a directory.
//!
//! `cargo run -p testkit --example fake-cluster [-- FIRST_PORT] [DIRECTORY]`

use std::{env, error::Error, fs, path::PathBuf};
use testkit::{FakeCluster, Options};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is started for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let ports = args.next().map(|port| port.parse()).transpose()?;
    let cluster = FakeCluster::try_with(Options {
        ports,
        ..Options::default()
    })
    .await?;
    println!("ResourceManager  {}", cluster.rm_url);
    println!("NameNode         {}", cluster.nn_url);
    println!("DataNode         {}", cluster.dn_url);
    println!("NodeManager      {}", cluster.nm_url);
    if let Some(directory) = args.next().map(PathBuf::from) {
        fs::create_dir_all(&directory)?;
        for (name, content) in cluster.client_xml().files() {
            fs::write(directory.join(name), content)?;
        }
        println!("client files     {}", directory.display());
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
