//! Reads who may approve with a signature, with the file that holds their keys.

use super::grammar::approvers::Approvers as Shape;
use super::secrets::beside;
use super::shapes::At;
use super::sink::Sink;
use super::step::all;
use super::values::required;
use crate::model::Problem;
use crate::model::place::{Located, Span};
use crate::model::signers::{Approvers, SignersFile};
use crate::signing::AllowedSigners;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Ten thousand keys fit. The plan keeps the whole of it.
const SIGNERS_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Reads `approvers` of a file that stands in `directory`.
pub(super) fn read(
    sink: &Sink<'_>,
    approvers: Option<At<Shape>>,
    directory: &Path,
) -> Option<Option<Approvers>> {
    let Some(approvers) = approvers else { return Some(None) };
    let (span, shape) = (approvers.span, approvers.value?);
    let file = required(sink, "`approvers`", span, "allowed_signers", shape.allowed_signers);
    let signers = file.and_then(|file| signers(sink, &file, directory));
    let groups = shape.groups.map_or(Some(BTreeMap::new()), |groups| {
        let groups = groups.value?.0.into_iter().map(|(name, members)| {
            let members = all(members.value?.0.into_iter().map(|member| member.value))?;
            Some((name.value, members))
        });
        all(groups).map(BTreeMap::from_iter)
    });
    let logins = shape.logins.map_or(Some(BTreeMap::new()), |logins| {
        let logins =
            logins.value?.0.into_iter().map(|(login, principal)| Some((login.value, principal.value?)));
        all(logins).map(BTreeMap::from_iter)
    });
    let (signers, groups, logins) = (signers?, groups?, logins?);
    let known = AllowedSigners::read(&signers.text).ok()?;
    for name in groups.values().flatten().chain(logins.values()).filter(|name| !known.knows(name)) {
        let what = format!("`{}` has no key in {}", name.escape_debug(), signers.file);
        sink.push(Problem::error("unknown-signer", what).at(span).hint("add a line for it there"));
    }
    Some(Some(Approvers { signers, groups, logins, span }))
}

/// Reads a file in OpenSSH's `allowed_signers` format; every line that cannot be read is reported.
pub(super) fn signers(sink: &Sink<'_>, file: &Located<String>, directory: &Path) -> Option<SignersFile> {
    let path = beside(directory, &file.value);
    let path = match (path.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        (Some(_), Err(_)) | (None, _) => path,
    };
    let report = |what: String, span: Span| sink.push(Problem::error("allowed-signers", what).at(span));
    let text = match text(Path::new(&path)) {
        Ok(text) => text,
        Err(because) => {
            report(format!("`{path}` cannot be read: {because}"), file.span);
            return None;
        }
    };
    match AllowedSigners::read(&text) {
        Ok(known) if known.is_empty() => {
            report(format!("`{path}` names nobody"), file.span);
            return None;
        }
        Ok(_) => {}
        Err(bad) => {
            for bad in bad {
                report(format!("line {} of `{path}`: {}", bad.line, bad.what), file.span);
            }
            return None;
        }
    }
    let sha256 = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(SignersFile { file: file.value.clone(), sha256, text })
}

fn text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > SIGNERS_BYTES_MAX {
        return Err(format!("it is larger than {} MiB", SIGNERS_BYTES_MAX >> 20));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
