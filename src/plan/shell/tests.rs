//! The scanner, place by place.

use super::*;

/// `@` stands for an expression; each is answered by a letter: Word, Quoted, Number, or why never.
fn seen(script: &str) -> String {
    let items: Vec<Item> =
        script.chars().map(|c| if c == '@' { Item::Hole } else { Item::Char(c) }).collect();
    let places = places(&items);
    assert_eq!(places.len(), script.matches('@').count(), "every expression gets one answer: {script}");
    places
        .iter()
        .map(|place| match place {
            Place::Word => "W",
            Place::Quoted => "Q",
            Place::Number => "N",
            Place::Never(Refusal::SingleQuotes) => "s",
            Place::Never(Refusal::QuotedHeredoc) => "h",
            Place::Never(Refusal::Delimiter) => "d",
            Place::Never(Refusal::Backslash) => "b",
            Place::Never(Refusal::Dollar) => "$",
            Place::Never(Refusal::InnerCode) => "i",
            Place::Never(Refusal::Name) => "n",
        })
        .collect()
}

#[test]
fn quotes_decide_how_a_variable_is_written() {
    for (script, places) in [
        ("ip link set @ down", "W"),
        ("echo a@b\"c@d\"@'@'@", "WQWsW"),
        ("echo \"a\\\"@\" @ \\\"@", "QWW"),
        ("echo \"$(cat @ \"@\")@\" @", "WQQW"),
        ("echo `cat @` \"`cat @`@\"", "WWQ"),
        ("x=${y:-@} z=\"${y:-@}\" w=\"${y#@}\" @", "WQWW"),
        ("echo $((1 + @)) \"$((@ + (2) * @))\" @", "NNNW"),
        ("echo a # it's @\necho @", "QW"),
        ("echo a#'@ @'@", "ssW"),
        ("echo $# @ ${#x} @ $'a\\'@' @", "WWsW"),
        ("case @ in a) echo @;; esac; x=$(case b in b) echo @;; esac) \"@\"", "WWWQ"),
        ("f() { echo @; }; (cd @ && echo \"@\")", "WWQ"),
        ("a[@]=1; echo ${a[@]} x[@]", "NNW"),
        ("((x = @)); let x=@; [[ @ -eq 1 && 2 -lt @ && a == @ ]]", "NNNNW"),
    ] {
        assert_eq!(seen(script), places, "{script}");
    }
}

#[test]
fn here_documents_end_where_a_shell_ends_them() {
    for (script, places) in [
        ("cat <<EOF\n@ \"@\" '@' $(echo @)\nEOF\necho @ '@'", "QQQWWs"),
        ("cat <<'EOF'\n@ $(x @)\nEOF\necho @", "hhW"),
        ("cat <<-\\E\n\t@\n\tE\necho @", "hW"),
        ("cat <<-E\n\tE x\n@\n\t\tE\n@", "QW"),
        ("cat <<A <<\"B\"; echo '\n@'\n@\nA\n@\nB\n@", "sQhW"),
        ("x=$(cat <<E\n@ )\nE\n) \"@\"", "QQ"),
        ("cat <<@\nx", "d"),
        ("cat <<< @; echo $((1<<2)) @", "WW"),
    ] {
        assert_eq!(seen(script), places, "{script}");
    }
}

#[test]
fn where_a_value_would_become_code_it_is_refused() {
    for (script, places) in [
        ("eval @; command eval \"x @\"; trap \"rm @\" EXIT", "iii"),
        ("sudo sh -c \"echo @\" ; bash -ec @; su - ops -c \"@\"", "iii"),
        ("sh -c 'echo \"$1\"' sh @; sort -c @", "WW"),
        ("sh <<E\n@\nE\ncat <<E | sudo /bin/bash\n@\nE\ncat <<E\n@\nE", "iiQ"),
        (
            "sudo python3 -c \"@\"; perl -pe \"s/@//\" f; php -r @; python3 x.py -c @; python3 - <<E\n@\nE",
            "iiiWi",
        ),
        ("runuser -u pg -- psql -c \"@\"; runuser pg -c @", "Qi"),
        ("read @; read -p @ x; alias a=@", "nWi"),
        ("ssh a \"stop @\"; ssh @ uptime", "iW"),
        ("\\@ $@ \"$@\" $$@", "b$$W"),
        ("unset @; export A=@ @=1; echo ${@} ${x@}; test -v @", "nWnnnn"),
    ] {
        assert_eq!(seen(script), places, "{script}");
    }
}
