//! Where a value computed from secrets becomes public.
//!
//! Does nothing. With the feature `valgrind-secrets`, under which the constant-time test marks
//! secrets as undefined memory, it tells valgrind that this value may be looked at, so that
//! every branch on a secret left in the program is a report.

#[cfg(not(all(feature = "valgrind-secrets", target_arch = "x86_64")))]
#[inline(always)]
pub(crate) fn declassify<T>(value: T) -> T {
    value
}

#[cfg(all(feature = "valgrind-secrets", target_arch = "x86_64"))]
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "a client request is a sequence of instructions that do nothing outside valgrind"
)]
pub(crate) fn declassify<T>(value: T) -> T {
    /// `VALGRIND_MAKE_MEM_DEFINED` of memcheck.
    const MAKE_MEM_DEFINED: u64 = 0x4d43_0002;
    let request = [
        MAKE_MEM_DEFINED,
        core::ptr::from_ref(&value).addr() as u64,
        size_of::<T>() as u64,
        0,
        0,
        0,
    ];
    // SAFETY: four rotations that add up to 128 bits and an exchange of a register with itself.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") 0_u64 => _,
            in("rax") request.as_ptr(),
            in("rdi") core::ptr::from_ref(&value),
        );
    }
    core::hint::black_box(value)
}
