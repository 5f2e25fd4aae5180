//! Files of a run.

super::record! {
    /// A file that a run produced.
    RunFile {
        /// File id.
        id: i64,
        /// File name.
        name: String,
        /// Role: 1 DeliveredFile, 2 ExtractedFiles, 3 InternalExportFiles, 4 InternalRuntimeFiles, 5 InternalTrackingDb, 6 LogText, 7 LogHtml, 8 InternalContentCache.
        file_type: i64,
        /// Size in bytes.
        file_size: i64,
        /// Creation time, UTC.
        created: String,
    }
}
