//! stub
use crate::surface::*;
impl ModelOptions {
    pub(crate) fn check(&self) -> Result<()> {
        Ok(())
    }
}
impl GenerateOptions {
    pub(crate) fn check(&self) -> Result<()> {
        Ok(())
    }
}
