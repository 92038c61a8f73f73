//! Pages of lists, as connections.

use super::desk::Desk;
use crate::problem::Problem;
use async_graphql::OutputType;
use async_graphql::connection::{Connection, CursorType, Edge};
use loom_protocol::ErrorCode;
use std::ops::Range;

/// A page of items, each with its cursor, that begins behind `after`.
pub(super) fn connection<C, N>(
    after: Option<&str>,
    more: bool,
    items: impl IntoIterator<Item = (C, N)>,
) -> Connection<C, N>
where
    C: CursorType + Send + Sync,
    N: OutputType,
{
    let mut page = Connection::new(after.is_some(), more);
    page.edges.extend(items.into_iter().map(|(cursor, node)| Edge::new(cursor, node)));
    page
}

/// A page of a list that is at hand, and to which things are added only at its end. A cursor is the
/// item's place in it.
pub(super) fn slice<T, N: OutputType>(
    desk: &Desk,
    list: &[T],
    first: Option<usize>,
    after: Option<&str>,
    node: impl Fn(&T) -> N,
) -> Result<Connection<usize, N>, Problem> {
    let count = desk.app.config.limits.page("first", first)?;
    let range = range(list.len(), count, after)?;
    let more = range.end < list.len();
    let items = range.map(|at| (at, node(&list[at])));
    Ok(connection(after, more, items))
}

/// A page of a list in the order of names, between which more may come. A cursor is the item's name.
pub(super) fn named<T: OutputType + Clone>(
    desk: &Desk,
    list: &[T],
    first: Option<usize>,
    after: Option<&str>,
    name: impl Fn(&T) -> &str,
) -> Result<Connection<String, T>, Problem> {
    let count = desk.app.config.limits.page("first", first)?;
    let begin = after.map_or(0, |after| list.partition_point(|item| name(item) <= after));
    let rest = &list[begin..];
    let items = rest.iter().take(count).map(|item| (name(item).to_owned(), item.clone()));
    Ok(connection(after, rest.len() > count, items))
}

/// The places of a page behind a cursor.
fn range(len: usize, count: usize, after: Option<&str>) -> Result<Range<usize>, Problem> {
    let begin = match after.map(str::parse::<usize>) {
        None => 0,
        Some(Ok(place)) if place < len => place + 1,
        Some(_) => {
            return Err(Problem::new(ErrorCode::BadCursor, "`after` is not of this list")
                .help("begin with the first page: leave `after` out"));
        }
    };
    Ok(begin..len.min(begin.saturating_add(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        for (len, count, after, expected) in [
            (0, 5, None, Some(0..0)),
            (7, 5, None, Some(0..5)),
            (7, 5, Some("4"), Some(5..7)),
            (7, 5, Some("6"), Some(7..7)),
            (7, 5, Some("7"), None),
            (7, 5, Some("-1"), None),
            (7, 5, Some("x"), None),
            (0, 5, Some("0"), None),
            (7, 5, Some("99999999999999999999999"), None),
        ] {
            let found = range(len, count, after).map_err(|problem| problem.code);
            assert_eq!(found, expected.ok_or(ErrorCode::BadCursor), "{after:?} of {len}");
        }
    }
}
