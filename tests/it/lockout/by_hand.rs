//! Plans made by hand, each with what the analysis must say of it, word for word. `SNAPSHOTS=overwrite` writes the
//! words anew, to be read before they are kept.

use super::{every_order, rules, sketch};
use blackstart::plan::Plan;
use blackstart::reach::lockout::{LockOuts, analyse};
use blackstart::report::lockout::lock_outs;
use std::fs;
use std::path::PathBuf;

/// Hand-made plans of each file, at least.
const CASES_MIN: usize = 20;

#[test]
fn what_locks_out_is_refused_with_its_story() {
    judge("refused.txt", &|title, plan, found| {
        assert!(!found.findings.is_empty(), "{title}: it passes");
        for finding in found.findings.iter().filter(|_| !reconnects(plan)) {
            every_order::check_witness(plan, finding).unwrap_or_else(|why| panic!("{title}: {why}"));
        }
    });
}

#[test]
fn what_only_looks_like_a_lock_out_passes() {
    judge("passes.txt", &|title, _, found| assert!(found.findings.is_empty(), "{title}: it is refused"));
}

/// Each case: a title, a sketch, and after `=>` what is said.
fn judge(file: &str, check: &dyn Fn(&str, &Plan, &LockOuts)) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/lockout").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (head, cases) = text.split_once("## ").expect("the file has cases");
    let mut written = head.to_owned();
    let mut count = 0;
    for case in cases.split("\n## ") {
        let (title, rest) = case.split_once('\n').expect("a case has a sketch");
        let (sketch, _) = rest.split_once("=>\n").unwrap_or((rest, ""));
        let plan = sketch::plan(title, sketch);
        let found = analyse(&plan);
        check(title, &plan, &found);
        if !reconnects(&plan)
            && !plan.site.is_empty()
            && plan.site.controller.is_some()
            && found.unjudged.is_empty()
        {
            let truth = every_order::losses(&plan);
            assert_eq!(rules::said(&found), truth, "{title}: the enumeration of every order says otherwise");
        }
        written.push_str(&format!("## {title}\n{}\n=>\n{}\n", sketch.trim_end(), lock_outs(&plan, &found)));
        count += 1;
    }
    assert!(count >= CASES_MIN, "{file} has only {count} cases");
    let written = format!("{}\n", written.trim_end());
    if std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite") {
        fs::write(&path, written).unwrap();
    } else {
        snapbox::assert_data_eq!(
            written,
            snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw()
        );
    }
}

/// The enumeration knows nothing of conduits that are closed at first.
fn reconnects(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| !step.reconnects.is_empty())
}
