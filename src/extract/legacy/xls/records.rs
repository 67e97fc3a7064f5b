//! The records of a workbook: two octets for what one is, two for its length, its data.

use super::super::little::u16_at;

/// Numbers of records (MS-XLS 2.3.2; the older ones as in the OpenOffice.org documentation of the format).
pub(super) mod kind {
    pub(in super::super) const BOF: u16 = 0x0809;
    pub(in super::super) const BOF_2: u16 = 0x0009;
    pub(in super::super) const BOF_3: u16 = 0x0209;
    pub(in super::super) const BOF_4: u16 = 0x0409;
    pub(in super::super) const EOF: u16 = 0x000A;
    pub(in super::super) const CONTINUE: u16 = 0x003C;
    pub(in super::super) const FILEPASS: u16 = 0x002F;
    pub(in super::super) const CODEPAGE: u16 = 0x0042;
    pub(in super::super) const DATEMODE: u16 = 0x0022;
    pub(in super::super) const FORMAT: u16 = 0x041E;
    pub(in super::super) const XF: u16 = 0x00E0;
    pub(in super::super) const BOUNDSHEET: u16 = 0x0085;
    pub(in super::super) const SST: u16 = 0x00FC;
    pub(in super::super) const NAME: u16 = 0x0018;
    pub(in super::super) const SUPBOOK: u16 = 0x01AE;
    pub(in super::super) const LABELSST: u16 = 0x00FD;
    pub(in super::super) const LABEL: u16 = 0x0204;
    pub(in super::super) const RSTRING: u16 = 0x00D6;
    pub(in super::super) const RK: u16 = 0x027E;
    pub(in super::super) const RK_OLD: u16 = 0x007E;
    pub(in super::super) const MULRK: u16 = 0x00BD;
    pub(in super::super) const NUMBER: u16 = 0x0203;
    pub(in super::super) const BOOLERR: u16 = 0x0205;
    pub(in super::super) const FORMULA: u16 = 0x0006;
    pub(in super::super) const FORMULA_3: u16 = 0x0206;
    pub(in super::super) const FORMULA_4: u16 = 0x0406;
    pub(in super::super) const SHRFMLA: u16 = 0x04BC;
    pub(in super::super) const ARRAY: u16 = 0x0221;
    pub(in super::super) const STRING: u16 = 0x0207;
    pub(in super::super) const STRING_2: u16 = 0x0007;
    pub(in super::super) const INTEGER_2: u16 = 0x0002;
    pub(in super::super) const NUMBER_2: u16 = 0x0003;
    pub(in super::super) const LABEL_2: u16 = 0x0004;
    pub(in super::super) const HEADER: u16 = 0x0014;
    pub(in super::super) const FOOTER: u16 = 0x0015;
    pub(in super::super) const HEADER_FOOTER: u16 = 0x089C;
    pub(in super::super) const NOTE: u16 = 0x001C;
    pub(in super::super) const OBJ: u16 = 0x005D;
    pub(in super::super) const TXO: u16 = 0x01B6;
    pub(in super::super) const HLINK: u16 = 0x01B8;
    pub(in super::super) const DV: u16 = 0x01BE;
    pub(in super::super) const CRN: u16 = 0x005A;
    pub(in super::super) const SERIES_TEXT: u16 = 0x100D;
    /// Pictures of the workbook (MsoDrawingGroup), of headers and footers (HFPicture), and as Excel 5 has them (IMDATA).
    pub(in super::super) const DRAWING_GROUP: u16 = 0x00EB;
    pub(in super::super) const HEADER_PICTURE: u16 = 0x0866;
    pub(in super::super) const IMAGE_DATA: u16 = 0x007F;
    /// A string of a pivot table's source (SXString).
    pub(in super::super) const PIVOT_STRING: u16 = 0x00CD;
    /// A number of it (SXNum).
    pub(in super::super) const PIVOT_NUMBER: u16 = 0x00C9;
}

/// One record.
pub(super) struct Record<'o> {
    pub(super) kind: u16,
    /// Where it begins in the stream.
    pub(super) start: usize,
    pub(super) data: &'o [u8],
}

/// The records of a stream, in order.
pub(super) struct Records<'o> {
    octets: &'o [u8],
    at: usize,
    /// One reaches beyond the end of the stream.
    pub(super) is_cut: bool,
}

impl<'o> Records<'o> {
    pub(super) fn new(octets: &'o [u8]) -> Records<'o> {
        Records { octets, at: 0, is_cut: false }
    }

    pub(super) fn next(&mut self) -> Option<Record<'o>> {
        let start = self.at;
        let (Some(kind), Some(length)) = (u16_at(self.octets, start), u16_at(self.octets, start + 2)) else {
            self.is_cut |= start < self.octets.len();
            return None;
        };
        let end = start + 4 + usize::from(length);
        self.is_cut |= end > self.octets.len();
        self.at = end.min(self.octets.len());
        Some(Record { kind, start, data: &self.octets[start + 4..self.at] })
    }

    /// The data of a record, and of those behind it that continue it.
    pub(super) fn continued<'d>(&mut self, data: &'d [u8]) -> Vec<&'d [u8]>
    where
        'o: 'd,
    {
        let mut pieces = vec![data];
        while u16_at(self.octets, self.at) == Some(kind::CONTINUE) {
            pieces.extend(self.next().map(|r| r.data));
        }
        pieces
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes forward; never back, so that no record is read twice.
    pub(super) fn go_to(&mut self, offset: usize) {
        self.at = self.at.max(offset).min(self.octets.len());
    }

    /// Whether the next record is a BOF: workbooks of one sheet need no list of sheets.
    pub(super) fn is_at_start_of_substream(&self) -> bool {
        matches!(u16_at(self.octets, self.at), Some(kind::BOF | kind::BOF_2 | kind::BOF_3 | kind::BOF_4))
    }
}
