fn main() {
    // A new migration changes no Rust file.
    println!("cargo:rerun-if-changed=migrations");
}
