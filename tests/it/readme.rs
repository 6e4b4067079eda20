//! What the README shows is what happens: its files are written down, its commands carried out one after the
//! other, and what they print is compared.
//!
//! A block ```` ```yaml NAME ```` is a file, a block ```` ```console ```` is typed. `SNAPSHOTS=overwrite` brings
//! the README up to date.

use crate::support::transcript::Desk;
use std::path::Path;

#[test]
fn what_it_shows_is_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let shown = std::fs::read_to_string(&path).expect("the README is there");
    let desk = Desk::bare();
    let mut told = String::new();
    let mut commands = 0;
    let mut lines = shown.lines().peekable();
    while let Some(line) = lines.next() {
        told += &format!("{line}\n");
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let mut block = String::new();
        while let Some(line) = lines.next_if(|line| *line != "```") {
            block += &format!("{line}\n");
        }
        match kind.split_once(' ') {
            Some(("yaml", name)) => {
                std::fs::write(desk.path().join(name), &block).expect("the desk takes a file");
                told += &block;
            }
            _ if kind == "console" => {
                for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    told += &format!("$ {command}\n{}", desk.shown(command));
                    commands += 1;
                }
            }
            _ => told += &block,
        }
        told += "```\n";
        lines.next();
    }
    assert!(commands > 4, "the README shows hardly anything");
    if desk.same_every_time(&told) == desk.same_every_time(&shown) {
        return;
    }
    if std::env::var_os("SNAPSHOTS").is_some_and(|how| how == "overwrite") {
        std::fs::write(&path, told).expect("the README can be written");
        return;
    }
    snapbox::assert_data_eq!(
        desk.same_every_time(&told),
        snapbox::Data::text(desk.same_every_time(&shown)).raw()
    );
}

#[test]
fn every_file_that_it_links_to_is_there() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown = std::fs::read_to_string(package.join("README.md")).expect("the README is there");
    let links: Vec<&str> = shown.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let missing: Vec<&&str> = links
        .iter()
        .filter(|link| {
            !link.contains("://") && !package.join(link.split('#').next().unwrap_or_default()).exists()
        })
        .collect();
    assert!(!links.is_empty() && missing.is_empty(), "{missing:?}");
}
