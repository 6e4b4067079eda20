//! The look before the first cut, beside whatever else goes on.

use super::{Live, News};
use crate::drive::baseline;
use crate::transport::Stop;

/// What is on record when the operator did not want the look.
const NOT_WANTED: &str = "nobody looked before the first cut (--no-baseline)";

impl Live<'_> {
    pub(super) fn look_before(&mut self) {
        if !self.baseline {
            let _ = self.tell.send(News::LookedBefore(Vec::new(), NOT_WANTED.to_owned()));
            return;
        }
        let (shop, tell) = (self.shop.clone(), self.tell.clone());
        let look =
            tokio::task::spawn_local(async move { baseline::look(shop.tools.clone(), Stop::never()).await });
        tokio::task::spawn_local(async move {
            // A mistake of ours in the look must not keep the cut waiting for ever.
            let (probes, because) = look
                .await
                .unwrap_or_else(|_| (Vec::new(), "blackstart made a mistake while it looked".to_owned()));
            let _ = tell.send(News::LookedBefore(probes, because));
        });
    }
}
