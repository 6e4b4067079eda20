//! Words of the template language that whoever reads a file and whoever compiles a plan must agree on.

/// Words that begin a block in the template language. None of them works in a runbook, and a text that uses one surely
/// meant a template; a `{%` before any other word is just text.
pub const BLOCK_WORDS: &[&str] = &[
    "autoescape",
    "block",
    "break",
    "call",
    "continue",
    "do",
    "elif",
    "else",
    "endautoescape",
    "endblock",
    "endcall",
    "endfilter",
    "endfor",
    "endif",
    "endmacro",
    "endset",
    "endwith",
    "extends",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "include",
    "macro",
    "set",
    "with",
];

/// How to get `{{` through to the host.
pub const RAW_HINT: &str = "to hand braces on as they are, write {% raw %}{{ … }}{% endraw %}";
