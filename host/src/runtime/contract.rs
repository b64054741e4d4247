//! Names of the contract: which interfaces a role exports and may import, and what a component's names say of it.

use crate::policy::{FaultKind, Role};

/// The version of the contract that this host speaks.
pub const ABI: &str = "0.1.0";

const PACKAGE: &str = "reviver:plugin/";

/// The name of the interface that a role exports.
pub(super) const fn export(role: Role) -> &'static str {
    match role {
        Role::Key => "reviver:plugin/key-role@0.1.0",
        Role::Metadata => "reviver:plugin/metadata-role@0.1.0",
        Role::Eviction => "reviver:plugin/eviction-role@0.1.0",
    }
}

/// The names of the interfaces that a role may import. `types` carries no function.
pub(super) const fn imports(role: Role) -> &'static [&'static str] {
    const ALL: &[&str] =
        &["reviver:plugin/types@0.1.0", "reviver:plugin/host@0.1.0", "reviver:plugin/inputs@0.1.0"];
    match role {
        Role::Key => ALL,
        Role::Metadata | Role::Eviction => ALL.split_at(2).0,
    }
}

/// The role and the version of the contract that names of exports speak of.
pub(super) fn role<'a>(exports: impl Iterator<Item = &'a str>) -> Result<(Role, &'a str), FaultKind> {
    let mut found = exports.filter_map(parse);
    let expected = || "reviver:plugin/{key,metadata,eviction}-role@0.1.0".to_owned();
    let Some((role, version)) = found.next() else {
        return Err(FaultKind::Abi { expected: expected(), found: "no role of a plugin at all".into() });
    };
    if let Some((other, version)) = found.next() {
        let found = format!("`{}` and `{other}-role@{version}` at once", export_of(role, version));
        return Err(FaultKind::Abi { expected: format!("one of {}", expected()), found });
    }
    Ok((role, version))
}

/// Whether a component with these names can serve `role` in this host, and if not, what both sides can do.
///
/// | the names | |
/// |---|---|
/// | another role, another version, none, several | `Abi` |
/// | an import that is not the contract's | `Import` with its name |
pub(super) fn check<'a>(
    role: Role,
    imports: impl Iterator<Item = &'a str>,
    exports: impl Iterator<Item = &'a str>,
) -> Result<(), FaultKind> {
    let expected = export(role).to_owned();
    let (is, version) = match self::role(exports) {
        Ok(found) => found,
        Err(FaultKind::Abi { found, .. }) => return Err(FaultKind::Abi { expected, found }),
        Err(other) => return Err(other),
    };
    if is != role || version != ABI {
        let advice = match version_order(version) {
            std::cmp::Ordering::Greater => ", which a newer Reviver understands",
            std::cmp::Ordering::Less => ", which this Reviver no longer understands",
            std::cmp::Ordering::Equal => ", which is another role",
        };
        let found = format!("`{}`{advice}", export_of(is, version));
        return Err(FaultKind::Abi { expected, found });
    }
    for import in imports {
        if !self::imports(role).contains(&import) {
            return Err(FaultKind::Import(import.to_owned()));
        }
    }
    Ok(())
}

fn export_of(role: Role, version: &str) -> String {
    format!("{PACKAGE}{role}-role@{version}")
}

fn parse(export: &str) -> Option<(Role, &str)> {
    let (interface, version) = export.strip_prefix(PACKAGE)?.split_once('@')?;
    let role = [Role::Key, Role::Metadata, Role::Eviction]
        .into_iter()
        .find(|role| interface.strip_suffix("-role") == Some(role.name()))?;
    Some((role, version))
}

fn version_order(version: &str) -> std::cmp::Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        version.splitn(3, '.').map(|part| digits(part).parse().unwrap_or(u64::MAX)).collect()
    };
    numbers(version).cmp(&numbers(ABI))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abi(role: Role, exports: &[&str]) -> String {
        let fault = check(role, [].into_iter(), exports.iter().copied()).expect_err("it is another plugin");
        assert!(matches!(fault, FaultKind::Abi { .. }), "{fault:?}");
        fault.to_string()
    }

    #[test]
    fn every_mismatch_tells_which_side_to_change() {
        let key = |version: &str| format!("reviver:plugin/key-role@{version}");
        for newer in ["0.2.0", "9.9.9", "0.1.1", "99999999999999999999.0.0"] {
            let message = abi(Role::Key, &[&key(newer)]);
            assert!(message.contains("newer Reviver") && message.contains("rebuild"), "{message}");
        }
        assert!(abi(Role::Key, &[&key("0.0.9")]).contains("no longer"));
        assert!(abi(Role::Eviction, &[&key(ABI)]).contains("another role"));
        assert!(abi(Role::Key, &["run"]).contains("no role"));
        assert!(abi(Role::Key, &[&key(ABI), export(Role::Metadata)]).contains("at once"));
    }

    #[test]
    fn only_key_plugins_may_look() {
        for role in [Role::Key, Role::Metadata, Role::Eviction] {
            let verdict =
                check(role, ["reviver:plugin/inputs@0.1.0"].into_iter(), [export(role)].into_iter());
            assert_eq!(verdict.is_ok(), role == Role::Key);
        }
    }
}
