//! `/check`: tells somebody who doubts a mail whether its code is one of ours. It opens nothing, and says no more than a day.
//!
//! Its form has no token: nothing is changed, and another site that sends it can't read the answer.

use super::{
    answer::{Form, Page, Refusal, Visit},
    link::read,
};
use crate::{
    notice::reference_of,
    record::{KeyRange, Reference},
    template::{CheckPage, Checked},
};
use axum::http::StatusCode;

/// The question.
pub(super) fn get(visit: &Visit) -> Result<Page, Refusal> {
    page(visit, StatusCode::OK, String::new(), Checked::Ask)
}

/// The answer.
pub(super) async fn post(visit: &Visit, form: &Form) -> Result<Page, Refusal> {
    let typed = form.field("reference");
    let Some(code) = reference_of(typed) else {
        let typed = typed.chars().take(MOST_SHOWN).collect();
        return page(visit, StatusCode::UNPROCESSABLE_ENTITY, typed, Checked::Faulty);
    };
    let store = &*visit.desk.portal.store;
    // Should two mails have the same code, either's day is true.
    let found = match store.list(&KeyRange::with_reference(&code), 1).await?.first() {
        Some((key, _)) => read::<Reference>(store, key).await?,
        None => None,
    };
    let checked = found.map_or(Checked::Unknown, |found| Checked::Known(found.value.on));
    page(visit, StatusCode::OK, code, checked)
}

/// What was typed is shown again up to so many characters: the field takes no more.
const MOST_SHOWN: usize = 40;

fn page(visit: &Visit, status: StatusCode, reference: String, checked: Checked) -> Result<Page, Refusal> {
    let host = visit.organisation.host().to_owned();
    visit.page(status, &CheckPage::new(reference, checked, host))
}
