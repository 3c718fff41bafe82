//! Electronic seals and seal signatures: GB/T 38540 and GM/T 0031.
