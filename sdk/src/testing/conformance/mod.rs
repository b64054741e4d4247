//! The laws of the roles, each as a function that panics where it is broken.
//!
//! [`conformance!`](crate::conformance!) makes a test of each, so that a failing test is called by the law. All questions
//! go through the [`TestHost`], so the laws are checked of a component too.

pub mod eviction;
pub mod key;
pub mod metadata;
mod random;
#[cfg(test)]
mod tests;

use super::TestHost;
use crate::{Derivation, EvictionPlugin, KeyPlugin, MetadataPlugin, Operation};

/// Makes a module `conformance` with one test for each law of the plugin's role. It stands in a module of tests:
///
/// ```
/// # use reviver_sdk::{Budget, Candidate, EvictionPlugin, KeyPlugin, MetadataPlugin, Operation};
/// # use reviver_sdk::{Derivation, Outcome, Refusal};
/// struct Largest;
///
/// impl EvictionPlugin for Largest {
///     fn score(_: u64, _: &Budget, candidate: &Candidate) -> f64 {
///         -(candidate.size as f64)
///     }
/// }
///
/// #[cfg(test)]
/// mod tests {
///     use super::*;
///
///     reviver_sdk::conformance!(eviction: Largest);
/// }
/// ```
///
/// A key plugin is asked about operations that it must not refuse, in a host that knows what it needs:
///
/// ```
/// # struct Mine;
/// # impl reviver_sdk::KeyPlugin for Mine {
/// #     fn derive(_: &reviver_sdk::Operation) -> Result<reviver_sdk::Derivation, reviver_sdk::Refusal> {
/// #         Ok(reviver_sdk::Derivation::new("mine"))
/// #     }
/// # }
/// # #[cfg(test)]
/// mod tests {
///     # use super::Mine;
///     use reviver_sdk::{Operation, testing::TestHost};
///
///     reviver_sdk::conformance!(
///         key: Mine,
///         [Operation::new(["mine", "a"]), Operation::new(["mine", "b"]).reads(["b.txt"])],
///         host: TestHost::new().file("words.txt", b"one")
///     );
/// }
/// ```
///
/// | role | laws |
/// |---|---|
/// | `key: Mine, [operations]`, then perhaps `, host: HOST` | those of [`key`](mod@key) |
/// | `metadata: Mine`, then perhaps `, lossy` | those of [`metadata`](mod@metadata); `lossy` for a codec that may drop times and notes |
/// | `eviction: Mine` | those of [`eviction`](mod@eviction) |
#[macro_export]
macro_rules! conformance {
    (key: $plugin:ty, [$($operation:expr),+ $(,)?] $(,)?) => {
        $crate::conformance!(key: $plugin, [$($operation),+], host: $crate::testing::TestHost::new());
    };
    // The expressions are written out in each test: a function around them would hide one of the same name.
    (key: $plugin:ty, [$($operation:expr),+ $(,)?], host: $host:expr $(,)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;

            $crate::conformance!(@laws key, $plugin, (&$host, &[$($operation),+]),
                the_same_question_gets_the_same_answer
                labels_are_one_line
                writes_have_labels_of_their_own
                reports_are_those_that_are_asked_for
                declared_lists_have_no_order
                an_unrelated_variable_adds_nothing_but_itself
                no_report_makes_it_panic
            );
        }
    };
    (metadata: $plugin:ty $(,)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;

            $crate::conformance!(@laws metadata, $plugin, (),
                what_was_encoded_comes_back
                times_and_notes_come_back
                the_same_outcome_has_the_same_hunk
                no_damage_makes_it_panic
            );
        }
    };
    (metadata: $plugin:ty, lossy $(,)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;

            $crate::conformance!(@laws metadata, $plugin, (),
                what_was_encoded_comes_back
                the_same_outcome_has_the_same_hunk
                no_damage_makes_it_panic
            );
        }
    };
    (eviction: $plugin:ty $(,)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;

            $crate::conformance!(@laws eviction, $plugin, (),
                scores_are_finite
                the_same_question_gets_the_same_answer
                scores_do_not_depend_on_their_batch
            );
        }
    };
    (@laws $role:ident, $plugin:ty, $arguments:tt, $($law:ident)+) => {
        $(
            #[test]
            fn $law() {
                $crate::conformance!(@call $role, $plugin, $law, $arguments);
            }
        )+
    };
    (@call $role:ident, $plugin:ty, $law:ident, ($($argument:expr),*)) => {
        $crate::testing::conformance::$role::$law::<$plugin>($($argument),*)
    };
}

/// What `P` derives for `operation`, which must not be refused, once all laws of [`key`](mod@key) were found to hold.
#[allow(clippy::must_use_candidate, reason = "the check alone is a use")]
pub fn key<P: KeyPlugin>(host: &TestHost, operation: &Operation) -> Derivation {
    let operations = std::slice::from_ref(operation);
    key::the_same_question_gets_the_same_answer::<P>(host, operations);
    key::labels_are_one_line::<P>(host, operations);
    key::writes_have_labels_of_their_own::<P>(host, operations);
    key::reports_are_those_that_are_asked_for::<P>(host, operations);
    key::declared_lists_have_no_order::<P>(host, operations);
    key::an_unrelated_variable_adds_nothing_but_itself::<P>(host, operations);
    key::no_report_makes_it_panic::<P>(host, operations);
    key::derived::<P>(host, operation)
}

/// Checks `P` by all laws of [`metadata`](mod@metadata): that times and notes come back only where it is `exact`.
pub fn metadata<P: MetadataPlugin>(exact: bool) {
    metadata::what_was_encoded_comes_back::<P>();
    if exact {
        metadata::times_and_notes_come_back::<P>();
    }
    metadata::the_same_outcome_has_the_same_hunk::<P>();
    metadata::no_damage_makes_it_panic::<P>();
}

/// Checks `P` by all laws of [`eviction`](mod@eviction).
pub fn eviction<P: EvictionPlugin>() {
    eviction::scores_are_finite::<P>();
    eviction::the_same_question_gets_the_same_answer::<P>();
    eviction::scores_do_not_depend_on_their_batch::<P>();
}
