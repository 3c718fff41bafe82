//! The arithmetic with BMI2, ADX and AVX2.
//!
//! The twin in `portable` computes the same; the tests run both on the same inputs. A value of
//! [`Adx`]'s code runs only after `path` has seen the processor's feature bits.
#![expect(
    unsafe_code,
    reason = "MULX, ADCX and ADOX carry two chains at once, which the compiler does not do; \
              the scan needs 256-bit registers"
)]

use super::{
    Arithmetic, Fe,
    field::P,
    lanes::{self, Columns, PLACE_BITS, Room, Row},
    point::TableEntry,
};
use core::arch::{asm, x86_64::*};

/// MULX, ADCX and ADOX for products, 256-bit registers for scans.
pub(crate) struct Adx;

/// The last steps of a product whose limbs 2 to 7 are in r10 to r15, none above: two limbs cleared and one subtraction of p; `field::montgomery_reduce` says
/// why. The result is in r12 to r15.
macro_rules! finish {
    () => {
        "
        mov edi, 32
        shlx rax, r10, rdi
        lea rcx, [r10 + r11]
        sub rcx, rax
        shlx rdx, rcx, rdi
        shrx rsi, r10, rdi
        or rdx, rsi
        shrx rsi, rcx, rdi
        lea rdi, [rax + rsi]
        xor r9d, r9d
        add r11, r10
        adc r12, rcx
        adc r13, 0
        adc r14, r10
        adc r15, rcx
        adc r9, 0
        sub r11, rax
        sbb r12, rdx
        sbb r13, rdi
        sbb r14, rdx
        sbb r15, rsi
        sbb r9, 0

        mov rax, r12
        mov rcx, r13
        mov rdx, r14
        mov rsi, r15
        mov r8, 0xffffffff00000000
        mov r10, 0xfffffffeffffffff
        sub rax, -1
        sbb rcx, r8
        sbb rdx, -1
        sbb rsi, r10
        sbb r9, 0
        cmovnc r12, rax
        cmovnc r13, rcx
        cmovnc r14, rdx
        cmovnc r15, rsi
        "
    };
}

/// Limbs 0 and 1, in r8 and r9, cleared while limbs 2 to 5 are in r10 to r13 and nothing is
/// above them yet: what is left for limb 6, 0 or 1, goes to r8. Done between the rows of a
/// product, so that its chain of carries does not wait for the last row.
macro_rules! clear_first {
    () => {
        "
        mov r15d, 32
        shlx rax, r8, r15
        lea rcx, [r8 + r9]
        sub rcx, rax
        shlx rdx, rcx, r15
        shrx r14, r8, r15
        or rdx, r14
        shrx r14, rcx, r15
        lea r15, [rax + r14]
        add r9, r8
        adc r10, rcx
        adc r11, 0
        adc r12, r8
        adc r13, rcx
        mov r8d, 0
        adc r8, 0
        sub r9, rax
        sbb r10, rdx
        sbb r11, r15
        sbb r12, rdx
        sbb r13, r14
        sbb r8, 0
        "
    };
}

/// The same for a whole product in r8 to r15.
macro_rules! clear_first_of_eight {
    () => {
        "
        mov edi, 32
        shlx rax, r8, rdi
        lea rcx, [r8 + r9]
        sub rcx, rax
        shlx rdx, rcx, rdi
        shrx rsi, r8, rdi
        or rdx, rsi
        shrx rsi, rcx, rdi
        lea rdi, [rax + rsi]
        add r9, r8
        adc r10, rcx
        adc r11, 0
        adc r12, r8
        adc r13, rcx
        adc r14, 0
        adc r15, 0
        sub r9, rax
        sbb r10, rdx
        sbb r11, rdi
        sbb r12, rdx
        sbb r13, rsi
        sbb r14, 0
        sbb r15, 0
        "
    };
}

impl Arithmetic for Adx {
    #[inline(always)]
    fn multiply(a: &Fe, b: &Fe) -> Fe {
        let (r0, r1, r2, r3): (u64, u64, u64, u64);
        // SAFETY: reads 32 bytes behind two references, writes registers only, and every
        // register it changes is declared. BMI2 and ADX are there: see the module's text.
        unsafe {
            asm!(
                // r8..r12 = a0 b
                "mov rdx, [rsi]",
                "mulx r9, r8, [rdi]",
                "mulx r10, rax, [rdi + 8]",
                "add r9, rax",
                "mulx r11, rax, [rdi + 16]",
                "adc r10, rax",
                "mulx r12, rax, [rdi + 24]",
                "adc r11, rax",
                "adc r12, 0",
                // r9..r13 += a1 b
                "mov rdx, [rsi + 8]",
                "xor r13d, r13d",
                "mulx rcx, rax, [rdi]",
                "adcx r9, rax",
                "adox r10, rcx",
                "mulx rcx, rax, [rdi + 8]",
                "adcx r10, rax",
                "adox r11, rcx",
                "mulx rcx, rax, [rdi + 16]",
                "adcx r11, rax",
                "adox r12, rcx",
                "mulx rcx, rax, [rdi + 24]",
                "adcx r12, rax",
                "adox r13, rcx",
                "mov eax, 0",
                "adcx r13, rax",
                clear_first!(),
                // r10..r14 += a2 b, with what is left for limb 6
                "mov r14, r8",
                "mov rdx, [rsi + 16]",
                "xor eax, eax",
                "mulx rcx, rax, [rdi]",
                "adcx r10, rax",
                "adox r11, rcx",
                "mulx rcx, rax, [rdi + 8]",
                "adcx r11, rax",
                "adox r12, rcx",
                "mulx rcx, rax, [rdi + 16]",
                "adcx r12, rax",
                "adox r13, rcx",
                "mulx rcx, rax, [rdi + 24]",
                "adcx r13, rax",
                "adox r14, rcx",
                "mov eax, 0",
                "adcx r14, rax",
                // r11..r15 += a3 b
                "mov rdx, [rsi + 24]",
                "xor r15d, r15d",
                "mulx rcx, rax, [rdi]",
                "adcx r11, rax",
                "adox r12, rcx",
                "mulx rcx, rax, [rdi + 8]",
                "adcx r12, rax",
                "adox r13, rcx",
                "mulx rcx, rax, [rdi + 16]",
                "adcx r13, rax",
                "adox r14, rcx",
                "mulx rcx, rax, [rdi + 24]",
                "adcx r14, rax",
                "adox r15, rcx",
                "mov eax, 0",
                "adcx r15, rax",
                finish!(),
                inout("rsi") a.0.as_ptr() => _,
                inout("rdi") b.0.as_ptr() => _,
                out("rax") _,
                out("rcx") _,
                out("rdx") _,
                out("r8") _,
                out("r9") _,
                out("r10") _,
                out("r11") _,
                out("r12") r0,
                out("r13") r1,
                out("r14") r2,
                out("r15") r3,
                options(pure, readonly, nostack),
            );
        }
        Fe([r0, r1, r2, r3])
    }

    #[inline(always)]
    fn square(a: &Fe) -> Fe {
        let (r0, r1, r2, r3): (u64, u64, u64, u64);
        // SAFETY: as in `multiply`, with one reference.
        unsafe {
            asm!(
                // r9..r14 = mixed products
                "mov rdx, [rsi]",
                "mulx r10, r9, [rsi + 8]",
                "mulx r11, rax, [rsi + 16]",
                "add r10, rax",
                "mulx r12, rax, [rsi + 24]",
                "adc r11, rax",
                "adc r12, 0",
                "mov rdx, [rsi + 8]",
                "mulx rcx, rax, [rsi + 16]",
                "add r11, rax",
                "adc r12, rcx",
                "mulx r13, rax, [rsi + 24]",
                "adc r13, 0",
                "add r12, rax",
                "adc r13, 0",
                "mov rdx, [rsi + 16]",
                "mulx r14, rax, [rsi + 24]",
                "add r13, rax",
                "adc r14, 0",
                // doubled, and the squares: two chains
                "xor r15d, r15d",
                "mov rdx, [rsi]",
                "mulx rax, r8, rdx",
                "adcx r9, r9",
                "adox r9, rax",
                "mov rdx, [rsi + 8]",
                "mulx rcx, rax, rdx",
                "adcx r10, r10",
                "adox r10, rax",
                "adcx r11, r11",
                "adox r11, rcx",
                "mov rdx, [rsi + 16]",
                "mulx rcx, rax, rdx",
                "adcx r12, r12",
                "adox r12, rax",
                "adcx r13, r13",
                "adox r13, rcx",
                "mov rdx, [rsi + 24]",
                "mulx rcx, rax, rdx",
                "adcx r14, r14",
                "adox r14, rax",
                "adcx r15, r15",
                "adox r15, rcx",
                clear_first_of_eight!(),
                finish!(),
                inout("rsi") a.0.as_ptr() => _,
                out("rdi") _,
                out("rax") _,
                out("rcx") _,
                out("rdx") _,
                out("r8") _,
                out("r9") _,
                out("r10") _,
                out("r11") _,
                out("r12") r0,
                out("r13") r1,
                out("r14") r2,
                out("r15") r3,
                options(pure, readonly, nostack),
            );
        }
        Fe([r0, r1, r2, r3])
    }

    #[inline(always)]
    fn add(a: &Fe, b: &Fe) -> Fe {
        let (mut r0, mut r1, mut r2, mut r3) = (a.0[0], a.0[1], a.0[2], a.0[3]);
        // SAFETY: reads 32 bytes behind a reference; all else is in declared registers.
        unsafe {
            asm!(
                "xor {c:e}, {c:e}",
                "add {r0}, [{b}]",
                "adc {r1}, [{b} + 8]",
                "adc {r2}, [{b} + 16]",
                "adc {r3}, [{b} + 24]",
                "adc {c}, 0",
                "mov {t0}, {r0}",
                "mov {t1}, {r1}",
                "mov {t2}, {r2}",
                "mov {b}, {r3}",
                "sub {t0}, -1",
                "sbb {t1}, {p1}",
                "sbb {t2}, -1",
                "sbb {b}, {p3}",
                "sbb {c}, 0",
                "cmovnc {r0}, {t0}",
                "cmovnc {r1}, {t1}",
                "cmovnc {r2}, {t2}",
                "cmovnc {r3}, {b}",
                b = inout(reg) b.0.as_ptr() => _,
                r0 = inout(reg) r0,
                r1 = inout(reg) r1,
                r2 = inout(reg) r2,
                r3 = inout(reg) r3,
                c = out(reg) _,
                t0 = out(reg) _,
                t1 = out(reg) _,
                t2 = out(reg) _,
                p1 = in(reg) P[1],
                p3 = in(reg) P[3],
                options(pure, readonly, nostack),
            );
        }
        Fe([r0, r1, r2, r3])
    }

    #[inline(always)]
    fn subtract(a: &Fe, b: &Fe) -> Fe {
        let (mut r0, mut r1, mut r2, mut r3) = (a.0[0], a.0[1], a.0[2], a.0[3]);
        // SAFETY: as in `add`.
        unsafe {
            asm!(
                "sub {r0}, [{b}]",
                "sbb {r1}, [{b} + 8]",
                "sbb {r2}, [{b} + 16]",
                "sbb {r3}, [{b} + 24]",
                // All ones after a borrow: p is added then.
                "sbb {b}, {b}",
                "and {p1}, {b}",
                "and {p3}, {b}",
                "add {r0}, {b}",
                "adc {r1}, {p1}",
                "adc {r2}, {b}",
                "adc {r3}, {p3}",
                b = inout(reg) b.0.as_ptr() => _,
                r0 = inout(reg) r0,
                r1 = inout(reg) r1,
                r2 = inout(reg) r2,
                r3 = inout(reg) r3,
                p1 = inout(reg) P[1] => _,
                p3 = inout(reg) P[3] => _,
                options(pure, readonly, nostack),
            );
        }
        Fe([r0, r1, r2, r3])
    }

    #[inline(always)]
    fn scan(entries: &[TableEntry], index: u64) -> TableEntry {
        // SAFETY: AVX2 is there: see the module's text.
        unsafe { scan_avx2(entries, index) }
    }

    #[inline(always)]
    fn read(
        table: &Columns,
        places: &[Row; PLACE_BITS],
        room: &mut Room,
        entries: &mut [TableEntry],
    ) {
        // SAFETY: AVX2 is there: see the module's text.
        unsafe { read_avx2(table, places, room, entries) }
    }
}

/// The plain code, compiled for 256-bit registers.
#[target_feature(enable = "avx2")]
fn read_avx2(
    table: &Columns,
    places: &[Row; PLACE_BITS],
    room: &mut Room,
    entries: &mut [TableEntry],
) {
    lanes::read(table, places, room, entries);
}

/// Every entry is loaded; a mask keeps one.
#[target_feature(enable = "avx2")]
fn scan_avx2(entries: &[TableEntry], index: u64) -> TableEntry {
    /// Entries whose turns in the loop are written out; windows are multiples of it.
    const UNROLLED: usize = 8;
    let wanted = _mm256_set1_epi64x(index.cast_signed());
    let one = _mm256_set1_epi64x(1);
    let mut at = _mm256_setzero_si256();
    let mut low = _mm256_setzero_si256();
    let mut high = _mm256_setzero_si256();
    let (groups, rest) = entries.as_chunks::<UNROLLED>();
    debug_assert!(rest.is_empty(), "no window has such a size");
    for group in groups {
        for entry in group {
            let mask = _mm256_cmpeq_epi64(at, wanted);
            let source = entry.0.as_ptr().cast::<__m256i>();
            // SAFETY: a table entry is 64 bytes; `loadu` asks for no alignment.
            let (first, second) = unsafe {
                (
                    _mm256_loadu_si256(source),
                    _mm256_loadu_si256(source.add(1)),
                )
            };
            low = _mm256_or_si256(low, _mm256_and_si256(mask, first));
            high = _mm256_or_si256(high, _mm256_and_si256(mask, second));
            at = _mm256_add_epi64(at, one);
        }
    }
    let mut found = TableEntry::ZERO;
    let target = found.0.as_mut_ptr().cast::<__m256i>();
    // SAFETY: as above.
    unsafe {
        _mm256_storeu_si256(target, low);
        _mm256_storeu_si256(target.add(1), high);
    }
    found
}
