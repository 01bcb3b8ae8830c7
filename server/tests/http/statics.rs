//! Static files.

use crate::app::TestApp;
use http::StatusCode;

async fn app() -> TestApp {
    let site = tempfile::tempdir().unwrap().keep();
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    std::fs::create_dir_all(site.join("vendor")).unwrap();
    std::fs::write(site.join("pkg/penstock.wasm"), b"\0asm").unwrap();
    std::fs::write(site.join("pkg/penstock.css"), "body{}".repeat(1000)).unwrap();
    std::fs::write(site.join("pkg/.hidden"), "x").unwrap();
    std::fs::write(site.join("vendor/editor-AB12CD34.js"), "export {}").unwrap();
    std::fs::write(site.join("outside.txt"), "x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", site.join("pkg/link.txt")).unwrap();
    TestApp::with(|config| config.server.site_dir = Some(site)).await
}

#[tokio::test]
async fn files_are_typed_tagged_and_packed() {
    let app = app().await;
    let wasm = app.get("/pkg/penstock.wasm", &[]).await;
    assert_eq!(
        (wasm.status, wasm.header("content-type")),
        (StatusCode::OK, "application/wasm")
    );
    assert_eq!(wasm.header("cache-control"), "no-cache");
    let tag = wasm.header("etag").to_owned();
    let again = app.get("/pkg/penstock.wasm", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let css = app
        .get("/pkg/penstock.css", &[("accept-encoding", "gzip, br")])
        .await;
    assert_eq!(css.header("content-encoding"), "br");
    assert!(css.body.len() < 500);
    let hashed = app.get("/vendor/editor-AB12CD34.js", &[]).await;
    assert_eq!(
        hashed.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn nothing_else_of_the_host_is_served() {
    let app = app().await;
    for path in [
        "/pkg/link.txt",
        "/pkg/.hidden",
        "/pkg/../outside.txt",
        "/pkg/%2e%2e/outside.txt",
        "/pkg/..%2foutside.txt",
        "/pkg/%252e%252e/outside.txt",
        "/vendor/../../../../etc/passwd",
        "/pkg//etc/passwd",
        "/pkg/",
        "/pkg/missing.js",
        "/pkg/penstock.css%00.js",
        "/fonts/../pkg/penstock.css",
        "/pkg/..\\outside.txt",
    ] {
        let Ok(uri) = path.parse::<http::Uri>() else {
            continue;
        };
        let answer = app.get(&uri.to_string(), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}
