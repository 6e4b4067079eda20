//! Finds out why a login shell says nothing. One that reads all of its input before it obeys any of it (fish, which a
//! login script put in its place) never answers somebody who waits for an answer before the end.

use super::greeting::Waiting;
use super::nonce;
use super::opening::{Opening, line};
use crate::model::Millis;
use crate::transport::wire::{Link, Trouble, TroubleKind};
use std::future::pending;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Login scripts are seldom slower than this; to ask costs a session.
const ASK_AFTER: Millis = Millis::from_secs(8);

/// Says so when it is sure that this login does not obey. When it is not, it says nothing.
pub(super) async fn is_disobedience(link: &dyn Link) -> Trouble {
    sleep(ASK_AFTER.std()).await;
    match ask(link).await {
        Some(trouble) => trouble,
        None => pending().await,
    }
}

/// Gives a second session one order and the end of its input. Whoever obeys says a word; whoever ends without it obeys
/// nobody.
async fn ask(link: &dyn Link) -> Option<Trouble> {
    let mut wire = link.open(&Opening::command()).await.ok()?;
    // A shell that complains about a line may quote it: the word is not in it as it will be said.
    let word = nonce::fresh();
    let (head, tail) = word.split_at(word.len() / 2);
    wire.to.send(line(&format!("echo {head}\"\"{tail}")).into_bytes()).await.ok()?;
    let (nobody, _) = mpsc::channel(1);
    wire.to = nobody;
    let answer = Waiting::for_login_shell().token(&mut wire, &word).await;
    answer.err().filter(|trouble| trouble.kind == TroubleKind::Settings)
}
