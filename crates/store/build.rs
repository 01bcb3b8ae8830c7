//! The migrations are built into the binary; without this a new file would not cause a rebuild.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
