//! SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that is fast for short values.

/// A key.
#[derive(Clone, Copy)]
pub(super) struct Sip(pub(super) u64, pub(super) u64);

impl Sip {
    pub(super) fn hash(self, value: &[u8]) -> u64 {
        let Sip(k0, k1) = self;
        let mut v = [k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d, k0 ^ 0x6c79_6765_6e65_7261, k1 ^ 0x7465_6462_7974_6573];
        let chunks = value.chunks_exact(8);
        let rest = chunks.remainder();
        for chunk in chunks {
            take(&mut v, chunk.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b)));
        }
        take(&mut v, (value.len() as u64) << 56 | rest.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b)));
        v[2] ^= 0xff;
        (0..4).for_each(|_| round(&mut v));
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

fn take(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix A of the paper, and the first vectors of its reference implementation.
    #[test]
    fn the_hash_is_that_of_the_paper() {
        let key = Sip(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let bytes: Vec<u8> = (0..15).collect();
        assert_eq!(key.hash(&bytes), 0xa129_ca61_49be_45e5);
        assert_eq!(key.hash(&[]), 0x726f_db47_dd0e_0e31);
        assert_eq!(key.hash(&[0]), 0x74f8_39c5_93dc_67fd);
    }
}
