//! The command around an expression: which of its words a shell or a program takes for code.

use super::{Place, Refusal};

/// Commands: the script itself, `$(…)`, `(…)` or backquotes.
#[derive(Debug, Clone, Default)]
pub(super) struct Code {
    /// What ends it; `None` is the end of the script.
    pub(super) close: Option<char>,
    /// Open `(` of its own.
    pub(super) depth: u32,
    /// Open `case` words, whose patterns end with a lone `)`.
    pub(super) cases: u32,
    /// Words of the command so far, as written but without quotes.
    pub(super) words: Vec<String>,
    /// The word under way; `None` between words.
    pub(super) word: Option<String>,
}

impl Code {
    pub(super) fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match word.as_str() {
            "case" if self.words.is_empty() => self.cases += 1,
            "esac" => self.cases = self.cases.saturating_sub(1),
            _ => {}
        }
        // After these a command begins.
        let opens = matches!(
            word.as_str(),
            "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "!" | "{" | "}"
        );
        let assigns = word.split_once('=').is_some_and(|(name, _)| is_variable(name));
        if !(self.words.is_empty() && (opens || assigns)) {
            self.words.push(word);
        }
    }

    /// Does the option before the word under way announce code for an interpreter?
    fn code_follows(&self) -> bool {
        let Some((option, words)) = self.words.split_last() else { return false };
        let Some(at) = words.iter().rposition(|word| is_interpreter(word)) else { return false };
        let letters: &[char] = match base_name(&words[at]) {
            "php" => &['r'],
            name if is_shell(name) || name.starts_with("python") => &['c'],
            _ => &['e', 'E'],
        };
        // `su - user -c CODE`; for others an operand ends their own options.
        let own = matches!(base_name(&words[at]), "su" | "runuser")
            && !words[at..].contains(&"--".to_owned())
            || words[at + 1..].iter().all(|word| word.starts_with('-'));
        own && option.starts_with('-') && !option.starts_with("--") && option.ends_with(letters)
    }

    /// Is the word under way one that this command takes for code, a calculation or a name?
    pub(super) fn judge(&self, place: Place, followed_by_comparison: bool) -> Place {
        let command = self.words.first().map_or("", String::as_str);
        let before = self.words.last().map_or("", String::as_str);
        let so_far = self.word.as_deref().unwrap_or_default().trim_start_matches('\u{200b}');
        let prefixed = matches!(command, "command" | "builtin");
        let command_word = self.words.get(usize::from(prefixed)).map_or("", String::as_str);
        let runs = matches!(command_word, "eval" | "trap" | "alias");
        // A word with blanks in it that `ssh` is given is a command for the shell at the other end.
        let far_script = self.words.iter().any(|word| base_name(word) == "ssh") && so_far.contains(' ');
        if runs || self.code_follows() || far_script {
            return Place::Never(Refusal::InnerCode);
        }
        let names = match command {
            "unset" | "declare" | "typeset" | "local" | "readonly" | "export" => true,
            "read" | "mapfile" | "readarray" => !before.starts_with('-'),
            _ => false,
        };
        let after_v = before == "-v" && matches!(command, "test" | "[" | "[[" | "printf");
        if (names && !so_far.contains('=')) || after_v {
            return Place::Never(Refusal::Name);
        }
        if command == "let" || (command == "[[" && (compares(before) || followed_by_comparison)) {
            return Place::Number;
        }
        place
    }
}

/// Comparisons for which `[[` calculates with its operands.
pub(super) fn compares(word: &str) -> bool {
    matches!(word, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge")
}

fn is_shell(word: &str) -> bool {
    matches!(base_name(word), "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "su" | "runuser")
}

/// Programs that take an argument or their input for code.
pub(super) fn is_interpreter(word: &str) -> bool {
    is_shell(word)
        || base_name(word).starts_with("python")
        || matches!(base_name(word), "perl" | "ruby" | "node" | "php" | "lua")
}

pub(super) fn base_name(word: &str) -> &str {
    let word = word.trim_matches('\u{200b}');
    word.rsplit('/').next().unwrap_or(word)
}

pub(super) fn is_variable(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
