//! Values reach scripts whole, in every place where they may stand, and no shell ever runs what a value says.

use crate::plan_site::{Dice, host, inventory, located, plan_of, run};
use blackstart::model::names::TaskIx;
use blackstart::plan::frozen::PlannedAction;
use blackstart::plan::render_script;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Would leave a file behind if any of it were run.
const NASTY: &[&str] = &[
    "$(touch canary)",
    "`touch canary`",
    "'; touch canary; '",
    "\"; touch canary; \"",
    "\ntouch canary\n",
    "| touch canary",
    "& touch canary &",
    "\nE\ntouch canary\n",
    "a[$(touch canary)]",
    "${x:=$(touch canary)}",
    ") touch canary (",
    "}",
    "{{",
    "}}",
    "\\",
    "\\'",
    "\\\"",
    "\\n",
    "\n",
    "\n\n",
    "\t",
    "\r",
    " ",
    "  ",
    "*",
    "?",
    "[a-z]*",
    "~",
    "-n",
    "-e",
    "--help",
    "%s%n",
    "!",
    "!!",
    "#",
    "$",
    "$$",
    "$'x'",
    "$HOME",
    "${bs_params_x}",
    "''",
    "'",
    "\"",
    "é",
    "日本語",
    "\u{1f525}",
    "\u{200b}",
    "\u{1}",
    "\u{7f}",
    "=",
    "a=b",
    "<",
    ">",
    ">x",
    "<<E",
    ";",
    "esac",
    "word",
    "0",
];

/// A piece of script with `@` for the expression, and what it prints, `@` for the value and `#` for the value
/// as command substitution hands it on: without line breaks at its end.
const PLACES: &[(&str, &str)] = &[
    ("printf '%s' @", "@"),
    ("printf '%s' \"@\"", "@"),
    ("printf '%s' a@b\"c@d\"'e'@", "a@bc@de@"),
    ("printf '%s' \"a\\\"@\\\"b\"", "a\"@\"b"),
    ("x=@; printf '%s' \"$x\"", "@"),
    ("x=\"-@-\" ; printf '%s' \"$x\"", "-@-"),
    ("y=1 x=@ sh -c 'printf \"%s\" \"$x\"'", "@"),
    ("cat <<E\n@\nE\n:", "@\n"),
    ("cat <<-E\n\t@\n\tE\n:", "@\n"),
    ("cat <<E | cat\n\"@\" '@' \\$x $(printf '%s' @)\nE\n:", "\"@\" '@' $x #\n"),
    ("cat <<A; cat <<'B'\n@\nA\n$x\nB\n:", "@\n$x\n"),
    ("x=$(cat <<E\n@\nE\n); printf '%s' \"$x\"", "#"),
    ("printf '%s' \"$(printf '%s' @)\"", "#"),
    ("printf '%s' \"$(printf '%s' \"@\")\"", "#"),
    ("printf '%s' \"`printf '%s' @`\"", "#"),
    ("x=`printf '%s' \"@\"`; printf '%s' \"$x\"", "#"),
    ("printf '%s' \"${no_such:-@}\"", "@"),
    ("printf '%s' ${no_such:-@}", "@"),
    ("printf '%s' \"$(printf '%s' ${no_such:-@})\"", "#"),
    ("x=1; printf '%s' \"${x:+@}\"", "@"),
    ("unset x; : \"${x:=@}\"; printf '%s' \"$x\"", "@"),
    ("x=@rest; printf '%s' \"${x#@}\" ${x#@}", "restrest"),
    ("x=rest@; printf '%s' \"${x%%@}\"", "rest"),
    ("cat <<E\n${no_such:-@}\nE\n:", "@\n"),
    ("case @ in @) printf yes;; *) printf no;; esac", "yes"),
    ("printf '%s' \"$(case @ in @) printf yes;; *) printf no;; esac)\"", "yes"),
    ("f() { printf '%s' \"$1\"; }; f @", "@"),
    ("for i in @ \"@\"; do printf '%s' \"$i\"; done", "@@"),
    ("if [ @ = \"@\" ]; then printf yes; fi", "yes"),
    ("# it's @ \"\nprintf ok # '@", "ok"),
    ("(printf '%s' @; { printf '%s' @; })", "@@"),
    ("sh -c 'printf \"%s\" \"$1\"' sh @", "@"),
    ("set -- @ b; printf '%s' \"$1$#\"", "@2"),
    ("printf '%s' \"@\" 'x' @", "@x@"),
    ("printf '%s' \"$V\"", "<@>"),
    ("true && printf '%s' @ || false", "@"),
    ("printf '%s\\n' @ | cat", "@\n"),
];

fn shells() -> Vec<Vec<&'static str>> {
    [vec!["dash"], vec!["bash"], vec!["bash", "--posix"], vec!["busybox", "sh"]]
        .into_iter()
        .filter(|shell| Command::new(shell[0]).arg("--help").output().is_ok())
        .collect()
}

fn value(dice: &mut Dice) -> String {
    (0..=dice.roll(4)).map(|_| *dice.pick(NASTY)).collect()
}

fn run_in(shell: &[&str], script: &str, directory: &Path) -> (Vec<u8>, String) {
    let file = directory.join("script");
    std::fs::write(&file, script).unwrap();
    let output = Command::new(shell[0]).args(&shell[1..]).arg(&file).current_dir(directory).output().unwrap();
    (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn values_come_through_whole_and_are_never_run() {
    let shells = shells();
    assert!(shells.len() >= 2, "dash and bash are needed for this test");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("glob-me"), "").unwrap();
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let (first, second) = (value(&mut dice), value(&mut dice));
        let inventory = inventory(vec![host("a", &[], &[("x", json!(first)), ("y", json!(second))])]);
        let (mut script, mut expected) = (String::new(), String::new());
        for _ in 0..6 {
            let (place, printed) = dice.pick(PLACES);
            let (name, value) = if dice.roll(2) == 0 { ("x", &first) } else { ("y", &second) };
            script.push_str(&place.replace('@', &format!("{{{{ host.vars.{name} }}}}")));
            script.push_str("\nprintf '|'\n");
            let printed: String = printed
                .split('@')
                .map(|part| part.replace('#', value.trim_end_matches('\n')))
                .collect::<Vec<_>>()
                .join(value);
            // The environment holds the first value, whatever stands elsewhere.
            let printed = if place.contains("$V") { format!("<{first}>") } else { printed };
            expected.push_str(&printed);
            expected.push('|');
        }
        let mut step = run("s", "a", &script);
        step.env.insert("V".to_owned(), located("<{{ host.vars.x }}>".to_owned()));
        let plan = plan_of(&inventory, step);
        let PlannedAction::Run(text) = &plan.steps[0].action else { panic!("it runs a script") };
        let exact = render_script(&plan, TaskIx(0), text, &|_| None);
        assert_eq!(
            exact.matches('\n').count(),
            text.matches('\n').count() + 1,
            "the preamble is one line: {exact}"
        );
        for shell in &shells {
            let (printed, complaints) = run_in(shell, &exact, directory.path());
            let printed = String::from_utf8_lossy(&printed);
            assert_eq!(printed, expected, "seed {seed}, {shell:?}: {complaints}\n{exact}");
            assert!(
                !directory.path().join("canary").exists(),
                "seed {seed}, {shell:?} ran a value:\n{exact}"
            );
        }
    }
}

/// Even in places that the scanner of quotes gets wrong, a value is never run.
#[test]
fn random_scripts_never_run_a_value() {
    const SCRAPS: &[&str] = &[
        "@",
        "@",
        "@",
        "\"",
        "'",
        "`",
        "$(",
        ")",
        "((",
        "))",
        "${x:-",
        "${x#",
        "}",
        "<<E\n",
        "\nE\n",
        "<<'F'\n",
        "\nF\n",
        "\\",
        "#",
        " # ",
        "\n",
        ";",
        " case x in ",
        "esac",
        " a) ",
        "echo ",
        " ",
        "[",
        "]",
        "{ ",
        "; }",
        "|",
        "&&",
        ">",
        "$",
        "x=",
        "if ",
        "then ",
        "fi",
        "$((",
        "1+",
        "<<-G\n\t",
        "\n\tG\n",
    ];
    let shells = shells();
    let directory = tempfile::tempdir().unwrap();
    let inventory = |value: &str| inventory(vec![host("a", &[], &[("x", json!(value))])]);
    let (mut compiled, mut seed) = (0, 0);
    while compiled < 150 {
        seed += 1;
        let mut dice = Dice(seed);
        let script: String = (0..12).map(|_| *dice.pick(SCRAPS)).collect();
        if !script.contains('@') {
            continue;
        }
        let step = run("s", "a", &script.replace('@', "{{ host.vars.x }}"));
        let book = crate::plan_site::runbook(vec![crate::plan_site::phase("p", vec![step])]);
        let Ok((plan, _)) = crate::plan_site::compile(&inventory(&value(&mut dice)), &book) else { continue };
        compiled += 1;
        let PlannedAction::Run(text) = &plan.steps[0].action else { panic!("it runs a script") };
        let exact = render_script(&plan, TaskIx(0), text, &|_| None);
        for shell in &shells {
            run_in(shell, &exact, directory.path());
            assert!(
                !directory.path().join("canary").exists(),
                "seed {seed}, {shell:?} ran a value:\n{exact}"
            );
        }
    }
}

/// Places where a shell would take a value for code, whatever quotes stand around it: without the refusal the
/// value would be run. Refused, or held to whole numbers.
#[test]
fn where_a_shell_runs_values_they_are_refused() {
    const TRAPS: &[(&str, &str)] = &[
        ("eval echo @", "x; touch canary"),
        ("eval \"echo @\"", "x; touch canary"),
        ("trap \"rm @\" EXIT", "x; touch canary"),
        ("sh -c \"echo @\"", "x; touch canary"),
        ("bash -ec @", "touch${IFS}canary"),
        ("sh <<E\necho @\nE", "x; touch canary"),
        ("cat <<E | bash\necho @\nE", "x; touch canary"),
        ("echo $((@ + 1))", "a[$(>canary)]"),
        ("echo \"$((1 + @))\"", "a[$(>canary)]"),
        ("[[ @ -eq 1 ]]", "a[$(>canary)]"),
        ("[[ 1 -lt \"@\" ]]", "a[$(>canary)]"),
        ("((x = @))", "a[$(>canary)]"),
        ("let x=@", "a[$(>canary)]"),
        ("a[@]=1", "a[$(>canary)]"),
        ("echo \"${x[@]}\"", "a[$(>canary)]"),
        ("x=abc; echo ${x:@}", "a[$(>canary)]"),
        ("[[ -v @ ]]", "a[$(>canary)]"),
        ("printf -v @ x", "a[$(>canary)]"),
        ("read @ </etc/passwd", "a[$(>canary)]"),
        ("a=(1); unset @", "a[$(>canary)]"),
        ("declare @=1", "a[$(>canary)]"),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (script, value) in TRAPS {
        let values = |value: &str| inventory(vec![host("a", &[], &[("x", json!(value))])]);
        let step = run("s", "a", &script.replace('@', "{{ host.vars.x }}"));
        let said = crate::plan_site::wrong_with(&values(value), step);
        let codes = ["template-in-inner-code", "value-not-number", "template-as-name"];
        assert!(
            said.iter().any(|said| codes.iter().any(|code| said.starts_with(code))),
            "{script}: {said:?}"
        );
        // The trap is real: the same script, with the value in a plain variable, runs what the value says.
        let trap = format!("v='{value}'\n{}", script.replace("\"@\"", "@").replace('@', "${v}"));
        let _ = std::fs::remove_file(directory.path().join("canary"));
        run_in(&["bash"], &trap, directory.path());
        assert!(directory.path().join("canary").exists(), "no trap: {trap}");
    }
}
