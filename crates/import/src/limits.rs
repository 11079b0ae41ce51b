//! Bounds of the import, each with its reason.

/// Bytes of one record: room for 200 attributes of some thousand characters. A quote that is never closed is noticed
/// after as many bytes.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Bytes read ahead: two records, so that a record cut by the end of the buffer is scanned twice at most.
pub const BUFFER_BYTES: usize = 2 * RECORD_BYTES_MAX;
/// Columns of a file: every attribute and device a contact may have, and some that are left out.
pub const COLUMNS_MAX: usize = 400;
/// Characters of a header cell or of a name in a mapping.
pub const HEADER_CHARACTERS_MAX: usize = 255;
/// Bytes of a mapping.
pub const MAPPING_BYTES_MAX: usize = 64 * 1024;
/// Rows that are written as one unit: few enough that nobody waits for it longer than some 5 ms.
pub const PIECE_ROWS_MAX: usize = 1_000;
/// Bytes of input that one unit comes from at most, so that wide rows make smaller units.
pub const PIECE_BYTES_MAX: u64 = 1 << 20;
/// Pieces read ahead of the writer.
pub const PIECES_WAITING_MAX: usize = 2;
/// Characters of a value that the report quotes.
pub const QUOTED_CHARACTERS_MAX: usize = 40;
/// Compiled size of a clientIdFormat, in bytes; matching is linear in the Client ID whatever the expression.
pub const CLIENT_ID_FORMAT_BYTES_MAX: usize = 1 << 20;
/// Jobs looked at in one read while unfinished ones are sought.
pub const JOBS_PAGE: usize = 500;
/// Orgs above an Account: SuperEnterprise, Enterprise, Account, and one to spare.
pub const ORG_DEPTH_MAX: usize = 8;
/// Bytes of an Excel file, which is held in memory while it is read: a million contacts make some 60 MiB.
pub const WORKBOOK_BYTES_MAX: usize = 128 << 20;
/// Bytes that the parts of an Excel file which are read may unpack to, together: a full sheet of 20 columns makes some
/// 800 MiB, and a bomb ends here.
pub const UNPACKED_BYTES_MAX: u64 = 1 << 30;
/// Bytes that a part of an Excel file which is no sheet and no table of texts may unpack to.
pub const SMALL_PART_BYTES_MAX: u64 = 8 << 20;
/// Bytes of the texts that the cells of an Excel file share, which are held in memory while it is read.
pub const SHARED_TEXT_BYTES_MAX: usize = 128 << 20;
/// Texts that the cells of an Excel file share.
pub const SHARED_TEXTS_MAX: usize = 4 << 20;
/// Bytes of one piece of XML: a cell holds at most 32,767 characters.
pub const XML_PIECE_BYTES_MAX: u64 = 1 << 20;
/// Depth of XML; Excel's own parts stay below 20.
pub const XML_DEPTH_MAX: usize = 64;
/// Rows of a sheet, as Excel has it.
pub const SHEET_ROWS_MAX: u32 = 1 << 20;
/// Columns of a sheet, as Excel has it.
pub const SHEET_COLUMNS_MAX: usize = 1 << 14;
/// Cell formats of an Excel file: Excel's own bound is 65,490.
pub const CELL_FORMATS_MAX: usize = 1 << 16;
