//! An environment that brings its own Java and Python, and executors that come and go.

use crate::{
    NEWEST,
    sandbox::{Sandbox, spec, variable},
};
use spark::{Dependency, DynamicAllocation, Program, Role, launch::Bundle};
use std::io::Write;

const SCRIPT: &str = r#"
import os
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext


def look(n):
    return os.environ["OWN_PYTHON"]


java = spark._jvm.java.lang.System
lines = [
    java.getProperty("java.home"),
    os.environ["OWN_PYTHON"],
    sc.parallelize([1], 1).map(look).collect()[0],
    spark.sql("SELECT java_method('java.lang.System', 'getProperty', 'java.home') FROM range(9)").first()[0],
    java.getProperty("java.class.path"),
    sc.getConf().get("spark.dynamicAllocation.enabled"),
]
path = spark._jvm.org.apache.hadoop.fs.Path(sys.argv[1])
out = path.getFileSystem(spark._jsc.hadoopConfiguration()).create(path, True)
out.write(bytearray("\n".join(lines).encode()))
out.close()
"#;

/// An archive that keeps permissions, of one small program.
fn tar_gz(name: &str, content: &str) -> Vec<u8> {
    let mut head = [0_u8; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    for (at, text) in [
        (100, "0000755"),
        (108, "0000000"),
        (116, "0000000"),
        (124, &format!("{:011o}", content.len())),
        (136, "00000000000"),
        (148, "        "),
        (156, "0"),
        (257, "ustar"),
        (263, "00"),
    ] {
        head[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&head).unwrap();
    let mut body = content.as_bytes().to_vec();
    body.resize(content.len().next_multiple_of(512) + 1024, 0);
    gzip.write_all(&body).unwrap();
    gzip.finish().unwrap()
}

/// Needs `PENSTOCK_TEST_JDK`, a `.tar.gz` of a Java 17 or newer in a directory `jre-17`.
#[tokio::test]
#[ignore = "needs Spark in the sandbox"]
async fn java_python_and_overlay_of_an_environment() {
    let sandbox = Sandbox::new(NEWEST).await;
    let archive = std::fs::read(variable("PENSTOCK_TEST_JDK")).unwrap();
    let jdk = Bundle {
        file: sandbox.own("jdk.tar.gz", archive).await,
        home: "jre-17".into(),
    };
    let program = "#!/bin/sh\nOWN_PYTHON=$0 exec python3 \"$@\"\n";
    let python = Bundle {
        file: sandbox.own("python.tar.gz", tar_gz("bin/python", program)).await,
        home: String::new(),
    };
    let overlay = [Dependency {
        name: "testjobs.jar".into(),
        role: Role::Overlay,
        file: sandbox.testjobs().await,
    }];
    let script = sandbox.own("own.py", SCRIPT).await;
    let mut spec = spec("own java and python", Program::Python);
    let target = sandbox.uri("own");
    spec.args = vec![target.clone()];
    spec.priority = Some(1);
    spec.resources.dynamic = Some(DynamicAllocation {
        min: 0,
        max: 1,
        idle_seconds: 5,
        ..DynamicAllocation::default()
    });
    let (id, launch) = sandbox
        .submit_with(
            &spec,
            Some(("own.py", &script)),
            &overlay,
            [Some(&jdk), Some(&python)],
        )
        .await;
    let ended = sandbox.end(&spec, id, launch).await;
    ended.succeeded();
    let text = sandbox.read(&target).await;
    println!("{text}");
    let lines: Vec<&str> = text.lines().collect();
    // Of the driver and of an executor.
    for (java, python) in [(lines[0], lines[1]), (lines[3], lines[2])] {
        assert!(
            java.ends_with("/jre-17") && java.contains("/filecache/"),
            "{text}"
        );
        assert!(python.ends_with("__python__/bin/python"), "{text}");
    }
    assert!(lines[4].contains("/__overlay__/testjobs.jar:"), "{text}");
    assert_eq!(lines[5], "true");
}
