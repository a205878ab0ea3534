//! What the program says about itself.

use crate::support::{assert_fit_to_print, parallax};

/// Every command, the hidden one included.
const COMMANDS: [&str; 11] = [
    "reproduce",
    "fit",
    "did",
    "explain-se",
    "describe",
    "convert",
    "simulate",
    "estimators",
    "explain",
    "schema",
    "registry",
];

#[test]
fn program() {
    let text = parallax(["--help"]).done();
    let (_, rest) = text.split_once("Commands:\n").unwrap();
    let listed: Vec<&str> = rest
        .lines()
        .take_while(|it| !it.is_empty())
        .filter_map(|it| it.split_whitespace().next())
        .filter(|it| *it != "help")
        .collect();
    assert_eq!(listed, COMMANDS[..10], "a command without a snapshot of its help");
    insta::assert_snapshot!("program", text);
    assert_eq!(parallax(["--version"]).done(), format!("parallax {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn commands() {
    for command in COMMANDS {
        let text = parallax([command, "--help"]).done();
        assert_fit_to_print(command, &text);
        insta::assert_snapshot!(command, text);
    }
}

#[test]
fn list_of_plugins() {
    let text = parallax(["estimators"]).done();
    assert_fit_to_print("estimators", &text);
    insta::assert_snapshot!("list", text);
}

#[test]
fn a_page() {
    let text = parallax(["explain", "fixed-effects"]).done();
    assert_fit_to_print("fixed-effects", &text);
    insta::assert_snapshot!("explain-fixed-effects", text);
}
