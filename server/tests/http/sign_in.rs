//! Signing in and out, and what a session is worth.

use crate::app::{PASSWORD, TestApp};
use domain::Role;
use http::StatusCode;

#[tokio::test]
async fn the_first_link_works_once() {
    let app = TestApp::new().await;
    let cookie = app.sign_in_first().await;
    let me = app.get("/api/v1/me", &[("cookie", &cookie)]).await.json();
    assert_eq!(
        (me["name"].as_str(), me["admin"].as_bool()),
        (Some("admin"), Some(true))
    );
    let again = app
        .form("/login/link", "", &format!("secret={}", app.first_secret))
        .await;
    assert_eq!(again.header("location"), "/login?error=login_link_invalid");
    assert!(again.cookie().is_empty());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let app = TestApp::new().await;
    app.user("li", "rt", Role::Viewer).await;
    for name in ["li", "nobody", "admin", "", "%00"] {
        let answer = app
            .form(
                "/login",
                "",
                &format!("name={name}&password=wrong-password&next=%2Fjobs"),
            )
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}");
        assert_eq!(
            answer.header("location"),
            "/login?error=bad_credentials&next=%2Fjobs",
            "{name}"
        );
        assert!(answer.cookie().is_empty(), "{name}");
    }
    for broken in ["", "name=li", "password=x", "%ff"] {
        let answer = app.form("/login", "", broken).await;
        assert_eq!(
            answer.header("location"),
            "/login?error=bad_credentials",
            "{broken}"
        );
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let app = TestApp::new().await;
    let mut slowed = None;
    for attempt in 0..10 {
        let answer = app.form("/login", "", "name=admin&password=guess-guess").await;
        if answer.header("location").contains("too_many") {
            assert!(!answer.header("retry-after").is_empty());
            slowed = Some(attempt);
            break;
        }
    }
    assert!(slowed.is_some(), "ten guesses in a row passed");
}

#[tokio::test]
async fn the_cookie_is_for_this_host_and_no_script() {
    let app = TestApp::new().await;
    let plain = app
        .form("/login/link", "", &format!("secret={}", app.first_secret))
        .await;
    let cookie = plain.header("set-cookie").to_owned();
    assert!(cookie.starts_with("penstock="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let app = TestApp::with(|config| {
        config.server.public_url = "https://console.example.org".to_owned().try_into().unwrap();
    })
    .await;
    let https = app
        .form("/login/link", "", &format!("secret={}", app.first_secret))
        .await;
    let cookie = https.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-penstock="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_sign_in_takes_a_new_id() {
    let app = TestApp::new().await;
    app.user("li", "rt", Role::Viewer).await;
    let first = app.sign_in("li").await;
    let planted = "penstock=AAAAAAAAAAAAAAAAAAAAAA";
    let answer = app
        .form(
            "/login",
            planted,
            &format!("name=li&password={}", PASSWORD.replace(' ', "+")),
        )
        .await;
    assert!(!answer.cookie().is_empty());
    assert_ne!(answer.cookie(), planted);
    let second = app
        .form(
            "/login",
            &first,
            &format!("name=li&password={}", PASSWORD.replace(' ', "+")),
        )
        .await
        .cookie();
    assert_ne!(first, second);
    let old = app.get("/api/v1/me", &[("cookie", &first)]).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED, "the id from before is dead");
    let new = app.get("/api/v1/me", &[("cookie", &second)]).await;
    assert_eq!(new.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_out_is_for_good_even_under_load() {
    let app = TestApp::new().await;
    app.user("li", "rt", Role::Viewer).await;
    let cookie = app.sign_in("li").await;
    let headers = [("cookie", cookie.as_str())];
    let reads = futures::future::join_all((0..50).map(|_| app.get("/api/v1/me", &headers)));
    let (reads, out) = futures::future::join(reads, app.form("/logout", &cookie, "")).await;
    assert_eq!(reads.len(), 50);
    assert_eq!(
        (out.status, out.header("location")),
        (StatusCode::SEE_OTHER, "/login")
    );
    let after = app.get("/api/v1/me", &headers).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
    let again = app.form("/logout", &cookie, "").await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_way_back_is_a_page_of_ours() {
    let app = TestApp::new().await;
    app.user("li", "rt", Role::Viewer).await;
    for (next, expected) in [
        ("%2Fjobs%3Fq%3Dx", "/jobs?q=x"),
        ("%2F%2Fevil.example", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
    ] {
        let body = format!("name=li&password={}&next={next}", PASSWORD.replace(' ', "+"));
        let answer = app.form("/login", "", &body).await;
        assert_eq!(answer.header("location"), expected);
        let cookie = answer.cookie();
        let answer = app
            .get(&format!("/login?next={next}"), &[("cookie", &cookie)])
            .await;
        assert_eq!(answer.header("location"), expected, "who is signed in goes on");
    }
}

#[tokio::test]
async fn secrets_reach_neither_the_database_nor_the_answers() {
    let app = TestApp::new().await;
    app.user("li", "rt", Role::Viewer).await;
    let cookie = app.sign_in("li").await;
    let bearer = app.bearer("li").await;
    let list = app.get("/api/v1/tokens", &[("authorization", &bearer)]).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    let secrets = [
        PASSWORD,
        cookie.strip_prefix("penstock=").unwrap(),
        bearer.strip_prefix("Bearer ").unwrap(),
        app.first_secret.as_str(),
    ];
    let mut stored = Vec::new();
    for entry in std::fs::read_dir(app.dir.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            stored.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(stored.len() > 10_000);
    for secret in secrets {
        assert!(!list.text().contains(secret));
        assert!(
            !stored.windows(secret.len()).any(|w| w == secret.as_bytes()),
            "a secret is stored readable"
        );
    }
}
