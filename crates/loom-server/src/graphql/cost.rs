//! What a query may cost: about as many values as it can bring, before one of them is read.

use super::answer::failure;
use crate::config::PAGE;
use crate::problem::Problem;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{ServerError, ValidationResult};
use async_trait::async_trait;
use loom_protocol::ErrorCode;
use std::sync::Arc;

/// The most that a query may cost.
const COST_MAX: usize = 10_000;
/// What reading a document or a line of a table costs beside what is taken from it.
const LOOK: usize = 20;
/// What reading a run's whole journal costs beside what is taken from it: a query reads some 80.
const JOURNAL: usize = 120;
/// What a list costs that has no pages, as a multiple of one of its items.
const LIST: usize = 20;

/// The cost of a page of items, each of which costs `item`.
pub(super) fn page(first: Option<usize>, item: usize) -> usize {
    within(first.unwrap_or(PAGE).saturating_mul(item).saturating_add(1))
}

/// The cost of a list without pages.
pub(super) fn list(item: usize) -> usize {
    within(item.saturating_mul(LIST).saturating_add(1))
}

/// The cost of something that is read for itself.
pub(super) fn look(inner: usize) -> usize {
    within(inner.saturating_add(LOOK))
}

/// The cost of something for which a run's journal is read.
pub(super) fn journal(inner: usize) -> usize {
    within(inner.saturating_add(JOURNAL))
}

/// Keeps sums of costs from overflowing.
fn within(cost: usize) -> usize {
    cost.min(COST_MAX + 1)
}

/// Refuses queries that would cost too much.
pub(super) struct Limit;

impl ExtensionFactory for Limit {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Limit {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(context).await?;
        if result.complexity <= COST_MAX {
            return Ok(result);
        }
        let what = format!("the query may bring more than {COST_MAX} values");
        let problem = Problem::new(ErrorCode::QueryTooLarge, what)
            .help("ask for smaller pages with `first`, or for fewer fields of their items");
        Err(vec![failure(problem)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_costs_what_its_items_do() {
        assert_eq!(page(Some(10), 3), 31);
        assert_eq!(page(None, 2), PAGE * 2 + 1);
        assert_eq!(look(list(1)), LOOK + LIST + 1);
        let a_page_of_journals = page(None, journal(1) + 1);
        assert!(a_page_of_journals <= COST_MAX && page(Some(200), journal(1)) > COST_MAX);
    }

    #[test]
    fn no_number_is_too_large_to_count_with() {
        let huge = page(Some(usize::MAX), page(Some(usize::MAX), usize::MAX));
        assert_eq!(huge, COST_MAX + 1);
        assert_eq!((look(usize::MAX), journal(usize::MAX)), (COST_MAX + 1, COST_MAX + 1));
    }
}
