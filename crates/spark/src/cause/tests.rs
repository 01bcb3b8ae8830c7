use super::*;

const LAUNCH: &str = "Application application_1_0003 failed 1 times (global limit =2; local limit is =1) due to AM Container for appattempt_1_0003_000001 exited with  exitCode: ";

#[test]
fn no_text_is_too_odd() {
    for odd in [
        "statement 1 of 2 (line ",
        "User class threw exception: ",
        "Traceback (most recent call last):\n",
        "Container killed by YARN for exceeding ",
        "java.lang.ClassNotFoundException: ",
        "ExecutorLostFailure (",
    ] {
        for end in 0..=odd.len() {
            let text = format!("{}\u{0}é", &odd[..end]);
            let _ = explain(&Evidence {
                diagnostics: &text,
                out: &text,
                err: &text,
            });
        }
    }
    assert_eq!(explain(&Evidence::default()).code, Code::AppFailedSilently);
    let silent = format!(
        "{LAUNCH}1\nFailing this attempt.Diagnostics: x]Exception from container-launch.\nContainer id: c\nExit code: 1\n"
    );
    assert_eq!(
        explain(&Evidence {
            diagnostics: &silent,
            ..Evidence::default()
        })
        .code,
        Code::AppFailedSilently
    );
}
