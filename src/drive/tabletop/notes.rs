//! What is noted of a session with people, so that it can be played again to where it stood: how the table was set,
//! what was said when, what was taken back.

use super::learnt::Learnt;
use super::table::Opening;
use crate::engine::Input;
use crate::model::Time;
use crate::model::event::StopHow;
use crate::model::question::Answer;
use serde::{Deserialize, Serialize};

/// The version of these notes that this program writes; it reads no other.
pub const NOTES_VERSION: u32 = 1;

/// One note. What was noted is never changed: what is taken back is noted as well.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The table was set. The first note.
    Set(Box<Setting>),
    /// Somebody at the table said something.
    Made(Made),
    /// Time was moved.
    Moved(Place),
    /// Of everything that was said only so much counts any more.
    TakenBack {
        /// How many.
        kept: usize,
    },
}

/// Everything besides the frozen plan that decides how the world behaves: files may change, notes do not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setting {
    /// Version of the notes.
    pub v: u32,
    /// How the table was opened.
    pub opening: Opening,
    /// The inventory file: its name and its text.
    pub inventory: (String, String),
    /// The scenario file, if there was one.
    pub scenario: Option<(String, String)>,
    /// What journals of earlier runs said.
    pub learnt: Learnt,
}

/// A place in a session: turns since the run began, and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Turns of the table.
    pub turns: u64,
    /// The table's time.
    pub at: Time,
}

/// Something that those at the table said, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub place: Place,
    /// What.
    pub said: Said,
    /// In words, if it can be taken back.
    pub decision: Option<String>,
}

/// What was said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// An answer.
    Answer(Answer),
    /// Something to the players.
    Tell(String),
    /// That it is enough for now, by whom.
    Stop(String),
}

impl Said {
    /// The same as news for the engine.
    pub fn input(&self) -> Input {
        match self {
            Said::Answer(answer) => Input::Answered(answer.clone()),
            Said::Tell(text) => Input::Injected { text: text.clone() },
            Said::Stop(by) => Input::StopRequested { by: by.clone(), how: StopHow::Cancel },
        }
    }
}

/// What counts of some notes: everything that was said, and where the table stood at last.
pub fn counting(notes: &[Note]) -> (Vec<Made>, Option<Place>) {
    let (mut made, mut last): (Vec<Made>, _) = (Vec::new(), None);
    for note in notes {
        match note {
            Note::Set(_) => {}
            Note::Made(one) => {
                made.push(one.clone());
                last = Some(one.place);
            }
            Note::Moved(place) => last = Some(*place),
            Note::TakenBack { kept } => {
                last = made.get(*kept).map(|gone| gone.place);
                made.truncate(*kept);
            }
        }
    }
    (made, last)
}
