//! Named things that start runs by themselves, as a collection keeps them: finding those that a
//! caller may see.

use crate::access::{Caller, Permission};
use crate::problem::Problem;
use crate::shelf::Shelf;
use loom_protocol::ErrorCode;
use loom_store::{Document, Scan};

/// Something under a name, of a namespace.
pub(crate) trait Kept: Sized {
    /// The collection that it is kept in. Keys are names.
    const COLLECTION: &'static str;
    /// What it is called.
    const KIND: &'static str;
    /// The most of them.
    const MOST: usize;

    /// The namespace of the runs that it starts.
    fn namespace(&self) -> &str;

    fn read(document: Document) -> Result<Self, Problem>;
}

/// One as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) name: String,
    pub(crate) value: T,
    pub(crate) version: u64,
}

impl<T: Kept> Found<T> {
    fn read(document: Document) -> Result<Self, Problem> {
        let (name, version) = (document.key.clone(), document.version);
        Ok(Self { name, value: T::read(document)?, version })
    }
}

/// The one of this name, if it is there.
pub(crate) async fn find<T: Kept>(shelf: &Shelf, name: &str) -> Result<Option<Found<T>>, Problem> {
    shelf.document(T::COLLECTION, name).await?.map(Found::read).transpose()
}

/// The one of this name, if the caller may do this to it. Of others not even that they are there is
/// told.
pub(crate) async fn visible<T: Kept>(
    shelf: &Shelf,
    caller: &Caller,
    name: &str,
    permission: Permission,
) -> Result<Found<T>, Problem> {
    let allowed = caller.namespaces(permission)?;
    let found = find::<T>(shelf, name).await?;
    found
        .filter(|found| is_of(allowed.as_ref(), found.value.namespace()))
        .ok_or_else(|| Problem::missing(T::KIND, name))
}

/// Refuses to replace something of this namespace, or of all, that the caller may not `change`. That
/// a name is taken cannot be hidden; from who may not `see` it, all else is.
pub(crate) fn may_replace(
    caller: &Caller,
    (see, change): (Permission, Permission),
    namespace: Option<&str>,
    name: &str,
) -> Result<(), Problem> {
    let may = |permission| match namespace {
        Some(namespace) => caller.may(permission, namespace),
        None => caller.may_everywhere(permission),
    };
    let Err(refusal) = may(change) else { return Ok(()) };
    if may(see).is_ok() {
        return Err(refusal);
    }
    let message = format!("the name `{name}` is taken");
    Err(Problem::new(ErrorCode::AlreadyThere, message).help("choose another name"))
}

/// Up to `limit` that the caller may see, by name from behind the one named `after`, and whether
/// there are more.
pub(crate) async fn page<T: Kept>(
    shelf: &Shelf,
    allowed: Option<Vec<String>>,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Found<T>>, bool), Problem> {
    let mut items = Vec::new();
    let mut scan = Scan { after, limit, ..Scan::default() };
    loop {
        let page = shelf.scan(T::COLLECTION, scan.clone()).await?;
        scan.after = page.documents.last().map(|document| document.key.clone());
        for document in page.documents {
            let found = Found::<T>::read(document)?;
            if !is_of(allowed.as_ref(), found.value.namespace()) {
                continue;
            }
            if items.len() == limit {
                return Ok((items, true));
            }
            items.push(found);
        }
        if !page.more {
            return Ok((items, false));
        }
    }
}

/// Refuses one more than there may be.
pub(crate) async fn room<T: Kept>(shelf: &Shelf) -> Result<(), Problem> {
    let (kind, most) = (T::KIND, T::MOST);
    let scan = Scan { limit: most, ..Scan::default() };
    if shelf.scan(T::COLLECTION, scan).await?.documents.len() < most {
        return Ok(());
    }
    Err(Problem::argument(format!("there are {most} {kind}s already"))
        .help(format!("delete {kind}s that nobody uses")))
}

fn is_of(allowed: Option<&Vec<String>>, namespace: &str) -> bool {
    allowed.is_none_or(|allowed| allowed.iter().any(|name| name == namespace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Scope};

    #[test]
    fn of_what_is_anothers_only_the_name_is_told() {
        let (see, change) = (Permission::SchedulesList, Permission::SchedulesWrite);
        let grant = |permissions: &[Permission], namespace: &str| Grant {
            permissions: permissions.iter().copied().collect(),
            scope: Scope::Namespaces([namespace.to_owned()].into()),
        };
        let ann = Caller::new("ann", vec![grant(&[see, change], "a"), grant(&[see], "b")]);
        let refusal = |namespace| {
            let may = may_replace(&ann, (see, change), namespace, "x");
            may.err().map(|problem| (problem.code, problem.message))
        };
        assert_eq!(refusal(Some("a")), None);
        let (code, message) = refusal(Some("b")).unwrap();
        assert!(code == ErrorCode::Forbidden && message.contains("`b`"), "{message}");
        let taken = (ErrorCode::AlreadyThere, "the name `x` is taken".to_owned());
        assert_eq!(refusal(Some("c")), Some(taken.clone()));
        assert_eq!(refusal(None), Some(taken));
    }
}
