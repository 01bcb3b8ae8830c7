//! With the feature `embed`: writes the table of the files that go into the binary, each with its
//! compressed forms. Without it there is nothing to do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "embed")]
    if let Err(message) = embed::run() {
        println!("cargo::error={message}");
    }
}

#[cfg(feature = "embed")]
mod embed {
    use sha2::{Digest, Sha256};
    use std::{
        env,
        fmt::Write as _,
        fs,
        io::Write as _,
        path::{Path, PathBuf},
    };

    pub(super) fn run() -> Result<(), String> {
        let site = named("PENSTOCK_SITE", "the directory of the built site")?;
        let runner = named("PENSTOCK_RUNNER_JAR", "the runner jar")?;
        let spark = runner.with_file_name("penstock-spark-runner.jar");
        if !spark.is_file() {
            return Err(format!("{} is not there: build the runners", spark.display()));
        }
        println!("cargo::rerun-if-changed={}", spark.display());
        let out = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?);
        let mut files = Vec::new();
        collect(&site, &site, &mut files)?;
        files.sort();
        if !files.iter().any(|f| f.ends_with(".wasm")) {
            return Err(format!(
                "{} holds no .wasm file: build the site first",
                site.display()
            ));
        }
        let mut table = String::from("pub(super) static FILES: &[super::EmbeddedFile] = &[\n");
        for (number, path) in files.iter().enumerate() {
            let source = site.join(path);
            let bytes = fs::read(&source).map_err(|e| format!("{}: {e}", source.display()))?;
            let tag: String = Sha256::digest(&bytes)
                .iter()
                .take(16)
                .map(|b| format!("{b:02x}"))
                .collect();
            let gzip = smaller(&out.join(format!("{number}.gz")), &bytes, gzip(&bytes)?)?;
            let brotli = smaller(&out.join(format!("{number}.br")), &bytes, brotli(&bytes)?)?;
            writeln!(
                table,
                "super::EmbeddedFile {{ path: {path:?}, tag: {tag:?}, plain: include_bytes!({source:?}), gzip: {gzip}, brotli: {brotli} }},"
            )
            .map_err(|e| e.to_string())?;
        }
        table.push_str("];\n");
        writeln!(
            table,
            "pub(super) static RUNNER: &[u8] = include_bytes!({runner:?});\n\
             pub(super) static SPARK_RUNNER: &[u8] = include_bytes!({spark:?});"
        )
        .map_err(|e| e.to_string())?;
        fs::write(out.join("embedded.rs"), table).map_err(|e| e.to_string())
    }

    fn named(variable: &str, what: &str) -> Result<PathBuf, String> {
        println!("cargo::rerun-if-env-changed={variable}");
        let path = env::var_os(variable)
            .ok_or_else(|| format!("feature `embed` needs {variable}: {what}, as an absolute path"))?;
        let path = fs::canonicalize(&path)
            .map_err(|e| format!("{variable}: {}: {e}", Path::new(&path).display()))?;
        println!("cargo::rerun-if-changed={}", path.display());
        Ok(path)
    }

    /// Paths below the site with `/`, without the compressed copies other tools may have left.
    fn collect(root: &Path, dir: &Path, files: &mut Vec<String>) -> Result<(), String> {
        for entry in fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_dir() {
                collect(root, &path, files)?;
                continue;
            }
            let name = path.strip_prefix(root).map_err(|e| e.to_string())?;
            let name = name
                .to_str()
                .ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
            if !name.ends_with(".br") && !name.ends_with(".gz") {
                files.push(name.to_owned());
            }
        }
        Ok(())
    }

    /// Keeps the compressed form when it is worth it.
    fn smaller(path: &Path, plain: &[u8], packed: Vec<u8>) -> Result<String, String> {
        if packed.len() * 10 > plain.len() * 9 {
            return Ok("None".into());
        }
        fs::write(path, packed).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(format!("Some(include_bytes!({path:?}))"))
    }

    fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).map_err(|e| e.to_string())?;
        out.finish().map_err(|e| e.to_string())
    }

    fn brotli(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let params = brotli::enc::BrotliEncoderParams {
            quality: 11,
            ..Default::default()
        };
        brotli::BrotliCompress(&mut &bytes[..], &mut out, &params).map_err(|e| e.to_string())?;
        Ok(out)
    }
}
