//! What reading one mail may cost.

/// The bounds of an extraction, each with its reason. Reaching one is a problem `too-deep` or `too-large`; what was read so far is kept.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Containers within containers, the mail included: mail > zip > mail > docx > xlsx > text fits.
    pub depth: u8,
    /// Octets that come out of containers, over one mail: 256 MiB. With what is read of them this stays under 1 GiB of memory.
    pub expanded: u64,
    /// Octets of one member of a container: 64 MiB. Real members over 1 MiB have a median of 2 MiB.
    pub member: u64,
    /// Octets of one worksheet, which is streamed, not held: 256 MiB.
    pub sheet: u64,
    /// How many times its own size a container may expand to, once that is over [`Limits::ratio_from`]: 200. Whole real files are at most 74;
    /// single members of them reach 667, so this is never asked of a member.
    pub ratio: u64,
    /// Expanded octets below which the ratio does not matter: 1 MiB.
    pub ratio_from: u64,
    /// Members of all containers of a mail: 10 000.
    pub members: usize,
    /// Octets of text out of one mail: 64 MiB.
    pub text: usize,
    /// Octets of memory that one mail's texts and problems take beside the text itself, for names, places and stretches: 96 MiB. A workbook of
    /// [`Limits::cells`], each read in two ways, fits. Asked of what a worker tells: a cell of one letter takes twelve times as much as its text.
    pub beside: usize,
    /// Pages of a PDF: 5000.
    pub pages: usize,
    /// Cells of a workbook: 2 000 000, about 1.2 s.
    pub cells: usize,
    /// Operations on one page of a PDF, its forms included: 500 000. Forms that call ten forms, 30 deep, end here.
    pub operations: usize,
    /// Operations on all pages of a PDF: 20 000 000. A thousand pages may share one long content stream.
    pub document_operations: usize,
    /// Form XObjects within Form XObjects: 12.
    pub form_depth: usize,
    /// Annotations of a PDF page: 5000.
    pub annotations: usize,
    /// Entries of one font's character map: 200 000. A range in it may claim 2^32.
    pub map_entries: usize,
    /// Pictures of a mail that are handed out to be looked at for text: none, unless somebody looks at them ([`Limits::PICTURES`]).
    pub pictures: usize,
    /// Octets of all these pictures: 32 MiB, which they take in memory beside the texts. A page that was scanned in colour at 300 dpi has one.
    pub picture_octets: usize,
}

impl Limits {
    /// As many pictures as can be looked at in the time that a mail has: 32, each about a second on one of two cores.
    pub const PICTURES: usize = 32;
}

impl Default for Limits {
    fn default() -> Limits {
        const MIB: u64 = 1 << 20;
        Limits {
            depth: 6,
            expanded: 256 * MIB,
            member: 64 * MIB,
            sheet: 256 * MIB,
            ratio: 200,
            ratio_from: MIB,
            members: 10_000,
            text: 64 << 20,
            beside: 96 << 20,
            pages: 5000,
            cells: 2_000_000,
            operations: 500_000,
            document_operations: 20_000_000,
            form_depth: 12,
            annotations: 5000,
            map_entries: 200_000,
            pictures: 0,
            picture_octets: 32 << 20,
        }
    }
}
