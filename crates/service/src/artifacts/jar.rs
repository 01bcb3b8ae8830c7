//! Looks into an uploaded jar: is it one, and which classes can be started. Reads the central
//! directory, the manifest and class headers; unpacks nothing to disk.

use super::class;
use std::{
    fs::File,
    io::{BufReader, Read},
    time::{Duration, Instant},
};
use zip::ZipArchive;

/// Most entries of a jar.
const MAX_ENTRIES: usize = 100_000;
const MAX_MANIFEST: u64 = 1024 * 1024;
/// A class file with `main` is small; larger ones are passed over.
const MAX_CLASS: u64 = 2 * 1024 * 1024;
/// How far contents may exceed the file, and how much they may be at all: a bomb exceeds both.
const MAX_RATIO: u64 = 200;
const MAX_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;
/// Reading stops looking for further main classes after this long.
const BUDGET: Duration = Duration::from_secs(5);
/// Main classes told.
const MAX_FOUND: usize = 200;

/// What a jar offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Jar {
    pub manifest_class: Option<String>,
    /// Classes with `public static void main(String[])`; the manifest's first.
    pub main_classes: Vec<String>,
}

/// Inspects a jar. The error says what is wrong with it.
pub(crate) fn inspect(file: File) -> Result<Jar, String> {
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|e| format!("it is not a zip file ({e})"))?;
    if archive.len() > MAX_ENTRIES {
        return Err(format!(
            "it has {} entries, more than {MAX_ENTRIES}",
            archive.len()
        ));
    }
    let mut unpacked: u64 = 0;
    let mut classes = Vec::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|e| format!("entry {index} cannot be read ({e})"))?;
        let name = entry
            .name()
            .map_err(|e| format!("entry {index} has no usable name ({e})"))?;
        let name = name.as_ref();
        let outside = name.starts_with('/')
            || name.contains('\\')
            || name.contains('\0')
            || name.split('/').any(|part| part == "..");
        if outside {
            return Err("it has an entry that points outside of it".to_owned());
        }
        unpacked = unpacked.saturating_add(entry.size());
        if unpacked > MAX_UNPACKED || (unpacked > 64 * 1024 * 1024 && unpacked / MAX_RATIO > size) {
            return Err("its contents are out of proportion to its size".to_owned());
        }
        if name.ends_with(".class")
            && entry.size() <= MAX_CLASS
            && !name.starts_with("META-INF/")
            && !name.contains("module-info")
        {
            classes.push(index);
        }
    }
    let manifest_class = manifest(&mut archive)?;
    let started = Instant::now();
    let mut main_classes: Vec<String> = manifest_class.iter().cloned().collect();
    for index in classes {
        if started.elapsed() > BUDGET || main_classes.len() >= MAX_FOUND {
            break;
        }
        let Ok(entry) = archive.by_index(index) else {
            continue;
        };
        let mut bytes = Vec::new();
        if entry.take(MAX_CLASS).read_to_end(&mut bytes).is_err() {
            continue;
        }
        if let Some(name) = class::main_class(&bytes)
            && !main_classes.contains(&name)
        {
            main_classes.push(name);
        }
    }
    let fixed = usize::from(manifest_class.is_some());
    main_classes[fixed..].sort();
    Ok(Jar {
        manifest_class,
        main_classes,
    })
}

fn manifest(archive: &mut ZipArchive<BufReader<File>>) -> Result<Option<String>, String> {
    let entry = match archive.by_name("META-INF/MANIFEST.MF") {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(format!("its manifest cannot be read ({error})")),
    };
    if entry.size() > MAX_MANIFEST {
        return Err("its manifest is larger than 1 MiB".to_owned());
    }
    let mut bytes = Vec::new();
    entry
        .take(MAX_MANIFEST)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("its manifest cannot be read ({e})"))?;
    // A long line goes on in the next one, behind a blank.
    let text = String::from_utf8_lossy(&bytes)
        .replace("\r\n", "\n")
        .replace("\n ", "");
    let class = text
        .lines()
        .find_map(|line| line.strip_prefix("Main-Class:"))
        .map(|name| name.trim().to_owned());
    Ok(class.filter(|name| !name.is_empty() && name.len() <= 300 && !name.contains(char::is_control)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn zipped(entries: &[(&str, &[u8])]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = zip::ZipWriter::new(&mut file);
        for (name, bytes) in entries {
            writer
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn tells_the_manifest_class_over_a_folded_line() {
        let jar = inspect(zipped(&[(
            "META-INF/MANIFEST.MF",
            b"Manifest-Version: 1.0\r\nMain-Class: com.exam\r\n ple.Main\r\n",
        )]))
        .unwrap();
        assert_eq!(jar.manifest_class.as_deref(), Some("com.example.Main"));
    }

    #[test]
    fn refuses_what_is_no_jar() {
        let mut text = tempfile::tempfile().unwrap();
        text.write_all(b"not a jar at all").unwrap();
        text.rewind().unwrap();
        assert!(inspect(text).unwrap_err().contains("not a zip file"));
        assert!(
            inspect(zipped(&[("../../etc/passwd", b"x")]))
                .unwrap_err()
                .contains("outside")
        );
    }

    #[test]
    fn refuses_a_bomb() {
        let zeros = vec![0u8; 96 * 1024 * 1024];
        assert!(
            inspect(zipped(&[("a", &zeros)]))
                .unwrap_err()
                .contains("proportion")
        );
    }
}
