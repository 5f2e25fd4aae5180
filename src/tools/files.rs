//! Files that runs produced.

mod get_file_download_url;
mod get_run_files;

pub use get_file_download_url::GetFileDownloadUrl;
pub use get_run_files::GetRunFiles;
