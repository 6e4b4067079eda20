//! Reads what must be true of a backup.

use super::action::ActionReader;
use super::approvers;
use super::grammar::approvers::{Backup as Shape, ManifestSignature as SignatureShape};
use super::shapes::At;
use super::values::{YEAR, absolute_path, length, required};
use crate::model::Problem;
use crate::model::place::{Located, Span};
use crate::model::runbook::{Backup, ManifestSignature, Taken};

/// The namespace that OpenSSH's own examples sign files in.
const NAMESPACE_DEFAULT: &str = "file";

impl ActionReader<'_, '_> {
    pub(super) fn backup(&self, backup: At<Shape>) -> Option<Backup> {
        let (span, shape) = (backup.span, backup.value?);
        let manifest = required(self.sink, "`backup`", span, "manifest", shape.manifest);
        let manifest = manifest.and_then(|path| self.path("manifest", path));
        let files_in = shape.files_in.map(|path| self.path("files_in", path.located()?));
        let taken = self.taken(shape.taken, shape.taken_at);
        let max_age = shape.max_age.map(|field| length(self.sink, "max_age", field, YEAR));
        let before = shape.before.map(|text| self.shown("before", text.located()?).map(|text| text.value));
        let (manifest, taken) = (manifest?, taken?);
        let signature = shape.signature.map(|signature| self.manifest_signature(&manifest, signature));
        Some(Backup {
            manifest,
            files_in: files_in.map_or(Some(None), |path| path.map(Some))?,
            taken,
            max_age: max_age.map_or(Some(None), |age| age.map(Some))?,
            before: before.map_or(Some(None), |text| text.map(Some))?,
            signature: signature.map_or(Some(None), |signature| signature.map(Some))?,
        })
    }

    fn taken(&self, taken: Option<At<String>>, taken_at: Option<At<String>>) -> Option<Taken> {
        match (taken, taken_at) {
            (None, None) => Some(Taken::ManifestTime),
            (Some(text), None) => Some(Taken::At(self.shown("taken", text.located()?)?.value)),
            (None, Some(path)) => Some(Taken::File(self.path("taken_at", path.located()?)?)),
            (Some(_), Some(path)) => {
                let what = "`backup` has both `taken` and `taken_at`";
                let problem = Problem::error("one-of", what).at(path.span);
                self.sink.push(problem.hint("the one is a time, the other a file that holds it: keep one"));
                None
            }
        }
    }

    fn manifest_signature(&self, manifest: &str, signature: At<SignatureShape>) -> Option<ManifestSignature> {
        let (span, shape) = (signature.span, signature.value?);
        let file =
            shape.file.map_or(Some(format!("{manifest}.sig")), |path| self.path("file", path.located()?));
        let namespace = shape.namespace.map_or(Some(NAMESPACE_DEFAULT.to_owned()), |name| {
            let name = name.located()?;
            self.not_empty("namespace", &name.value, name.span).then_some(name.value)
        });
        let signers = required(self.sink, "`signature`", span, "allowed_signers", shape.allowed_signers);
        let signers = signers.and_then(|file| approvers::signers(self.sink, &file, self.directory));
        Some(ManifestSignature { file: file?, namespace: namespace?, signers: signers? })
    }

    fn path(&self, key: &str, path: Located<String>) -> Option<String> {
        let path = self.shown(key, path)?;
        absolute_path(self.sink, key, &path).then_some(path.value)
    }

    fn not_empty(&self, key: &str, text: &str, at: Span) -> bool {
        if text.trim().is_empty() {
            self.sink.push(Problem::error("empty-value", format!("`{key}` is empty")).at(at));
        }
        !text.trim().is_empty()
    }
}
