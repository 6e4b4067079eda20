//! The availability strip: a row for each service, over the same time as the timeline.

use super::scale::{Scale, WIDTH};
use crate::model::Millis;
use crate::model::event::Stands;
use crate::report::look::clock;
use crate::report::story::lang::Says;
use crate::report::story::ledger::ServiceTold;
use crate::report::story::phrase::Phrase;
use crate::report::story::told::Story;
use maud::{Markup, html};

/// Rows before the rest is counted: JSON has them all.
const ROWS_MAX: usize = 200;
/// What is shorter than this would not be seen.
const WIDTH_MIN: f64 = 2.5;

pub(super) fn services(story: &Story, says: &Says) -> Markup {
    let Some((start, until)) = story.run.started_at.zip(story.run.told_until) else { return html! {} };
    let scale = Scale::new(start, until, &super::gantt::busy(story));
    let labels = scale.labels();
    let title = says.say(Phrase::Services);
    html! {
        ul class="legend" aria-label=(says.say(Phrase::Legend)) {
            @for stands in [Stands::Up, Stands::Down, Stands::Unknown] {
                li {
                    svg viewBox="0 0 14 20" aria-hidden="true" {
                        @let (class, y, height) = look(stands);
                        rect class=(class) y=(y) width="14" height=(height) {}
                    }
                    (says.stands(Some(stands)))
                }
            }
        }
        div class="scroll" tabindex="0" role="region" aria-label=(title) {
            table class="gantt" {
                caption { (title) }
                thead {
                    tr {
                        th scope="col" class="step" { (says.say(Phrase::Service)) }
                        th scope="col" {
                            div class="axis" {
                                // Three columns of words leave room for every other label.
                                @for (x, after) in labels.iter().step_by(2) {
                                    span style=(format!("left:{:.1}%", x / WIDTH * 100.0)) { (clock(*after)) }
                                }
                            }
                        }
                        th scope="col" class="start" { (says.say(Phrase::Stands)) }
                        th scope="col" class="num took" { (says.say(Phrase::LongestDown)) }
                        th scope="col" class="num took" { (says.say(Phrase::Rto)) }
                    }
                }
                tbody { @for service in story.services.iter().take(ROWS_MAX) { (row(service, &scale, says)) } }
            }
        }
        (super::lists::rest(says, story.services.len()))
    }
}

fn row(service: &ServiceTold, scale: &Scale, says: &Says) -> Markup {
    let longest = says.length(Millis(service.longest_down_ms));
    let label = format!("{}: {}, {longest}", service.name, says.stands(service.stands));
    html! {
        tr {
            th scope="row" { (service.name) " " span class="dim" { (service.place) } }
            td class="bar" {
                svg viewBox=(format!("0 0 {WIDTH} 20")) preserveAspectRatio="none" role="img" aria-label=(label) {
                    title { (label) }
                    @for stretch in &service.stretches {
                        @let (class, y, height) = look(stretch.stands);
                        @let left = scale.x(stretch.from).min(WIDTH - WIDTH_MIN);
                        @let width = (scale.x(stretch.to) - left).max(WIDTH_MIN);
                        rect class=(class) x=(format!("{left:.1}")) y=(y) width=(format!("{width:.1}")) height=(height) {}
                    }
                }
            }
            td { (says.stands(service.stands)) }
            td class="num" { @if !service.stretches.is_empty() { (longest) } }
            td class="num" {
                @if let Some(rto) = service.rto_ms { (says.length(Millis(rto))) }
                @if let Some(within) = service.within_rto {
                    " " span aria-hidden="true" { (if within { "✓" } else { "✗" }) }
                }
            }
        }
    }
}

/// Class, top and height: down is as high as the row, up is half of it, unknown a line.
fn look(stands: Stands) -> (&'static str, &'static str, &'static str) {
    match stands {
        Stands::Up => ("s-up", "5", "10"),
        Stands::Down => ("s-down", "1", "18"),
        Stands::Unknown => ("w-turn", "8", "4"),
    }
}
