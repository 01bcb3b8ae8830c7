//! Spark versions and what differs between them.

use domain::{Code, Failure};
use std::{fmt, str::FromStr};

/// The oldest version jobs can run on.
pub const OLDEST: &str = "3.5";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

/// What a planner has to know of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// The oldest Java its nodes need.
    pub java: u16,
    /// Options the driver's JVM needs before all others, in the client's order.
    pub jvm_options: &'static [&'static str],
}

/// The packages every version opens.
macro_rules! with_opens {
    ([$($before:literal),*], [$($after:literal),*]) => {
        &[
            $($before,)*
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.invoke=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
            "--add-opens=java.base/java.io=ALL-UNNAMED",
            "--add-opens=java.base/java.net=ALL-UNNAMED",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
            "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
            "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.cs=ALL-UNNAMED",
            "--add-opens=java.base/sun.security.action=ALL-UNNAMED",
            "--add-opens=java.base/sun.util.calendar=ALL-UNNAMED",
            "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
            $($after,)*
        ]
    };
}

const JVM_3_5: &[&str] = with_opens!(
    ["-XX:+IgnoreUnrecognizedVMOptions"],
    ["-Djdk.reflect.useDirectMethodHandle=false"]
);
const JVM_4_0: &[&str] = with_opens!(
    [
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--add-modules=jdk.incubator.vector"
    ],
    [
        "-Djdk.reflect.useDirectMethodHandle=false",
        "-Dio.netty.tryReflectionSetAccessible=true"
    ]
);
const JVM_4_1: &[&str] = with_opens!(
    [
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--add-modules=jdk.incubator.vector"
    ],
    [
        "-Djdk.reflect.useDirectMethodHandle=false",
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dio.netty.allocator.type=pooled",
        "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
        "--enable-native-access=ALL-UNNAMED"
    ]
);
const JVM_4_2: &[&str] = with_opens!(
    [
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--add-modules=jdk.incubator.vector"
    ],
    [
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dio.netty.allocator.type=pooled",
        "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED"
    ]
);

impl Version {
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// # Errors
    /// [`Code::VersionUnsupported`].
    pub fn features(self) -> Result<Features, Failure> {
        let at_least = |major, minor| self >= Self::new(major, minor, 0);
        if !at_least(3, 5) {
            return Err(Failure::new(Code::VersionUnsupported)
                .with("what", "Spark")
                .with("version", self)
                .with("least", OLDEST));
        }
        Ok(Features {
            java: if at_least(4, 0) { 17 } else { 8 },
            jvm_options: if at_least(4, 2) {
                JVM_4_2
            } else if at_least(4, 1) {
                JVM_4_1
            } else if at_least(4, 0) {
                JVM_4_0
            } else {
                JVM_3_5
            },
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Text that is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of Spark")]
pub struct VersionError;

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `4.2.1`, and `3.5.1-vendor7` or `3.5.1.vendor7` as 3.5.1.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let mut parts = numbers.split('.').map(|part| {
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse::<u16>().ok())
                .flatten()
        });
        let mut next = || parts.next().flatten().ok_or(VersionError);
        Ok(Self::new(next()?, next()?, next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_begin_where_they_began() {
        let features = |text: &str| text.parse::<Version>().unwrap().features().unwrap();
        assert_eq!(features("3.5.9").java, 8);
        assert_eq!(features("4.0.0").java, 17);
        for (version, option, has) in [
            ("3.5.0", "--add-modules=jdk.incubator.vector", false),
            ("4.0.5", "--add-modules=jdk.incubator.vector", true),
            ("4.0.5", "-Dio.netty.allocator.type=pooled", false),
            ("4.1.4", "-Dio.netty.allocator.type=pooled", true),
            ("4.1.4", "-Djdk.reflect.useDirectMethodHandle=false", true),
            ("4.3.0", "-Djdk.reflect.useDirectMethodHandle=false", false),
            ("4.3.0", "--sun-misc-unsafe-memory-access=allow", true),
        ] {
            assert_eq!(
                features(version).jvm_options.contains(&option),
                has,
                "{version} {option}"
            );
        }
        let failure = Version::new(3, 4, 4).features().unwrap_err();
        assert_eq!(failure.code, Code::VersionUnsupported);
        assert!("3.5".parse::<Version>().is_err());
        assert_eq!("3.5.1-cdh7".parse(), Ok(Version::new(3, 5, 1)));
    }
}
