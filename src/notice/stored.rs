//! How addresses lie in a stored letter: as text.

/// An address as text.
pub(super) mod one {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::notice) fn serialize<S: Serializer>(address: &Address, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(address.as_str())
    }

    pub(in crate::notice) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
        Address::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// An address that may be missing, as text.
pub(super) mod maybe {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(in crate::notice) fn serialize<S: Serializer>(address: &Option<Address>, to: S) -> Result<S::Ok, S::Error> {
        address.as_ref().map(Address::as_str).serialize(to)
    }

    pub(in crate::notice) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Address>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| Address::parse(&text)).transpose().map_err(D::Error::custom)
    }
}

/// Addresses as texts.
pub(super) mod many {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::notice) fn serialize<S: Serializer>(addresses: &[Address], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(addresses.iter().map(Address::as_str))
    }

    pub(in crate::notice) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Address>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| Address::parse(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}
