//! Files that runs produced.

mod contents;
mod fetch;
mod get_file_download_url;
mod get_run_files;
mod preview;
mod read_run_file;

pub use contents::{FileBody, FileContents, file_contents};
pub use get_file_download_url::GetFileDownloadUrl;
pub use get_run_files::GetRunFiles;
pub use read_run_file::ReadRunFile;
