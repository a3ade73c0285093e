#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| durable_objects_fuzz::watcher::run(data));
