//! The macros that declare a group, and the tables of numbers they leave behind for tests.

use core::ffi::c_void;

/// C's `bool`, read as a byte: a foreign caller's struct may hold any bit pattern, which Rust's
/// `bool` must not. Zero is false.
#[allow(non_camel_case_types)]
pub type c_bool = u8;

/// One number for 64-bit targets and one for 32-bit targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// On targets with 64-bit pointers (x86-64, aarch64).
    pub bits64: usize,
    /// On targets with 32-bit pointers (armhf).
    pub bits32: usize,
}

impl Widths {
    /// A number that does not depend on the pointer width.
    pub const fn both(number: usize) -> Self {
        Widths {
            bits64: number,
            bits32: number,
        }
    }

    /// The number for the target this is compiled for.
    pub const fn here(self) -> usize {
        if cfg!(target_pointer_width = "64") {
            self.bits64
        } else {
            self.bits32
        }
    }
}

/// A type whose size is known for both pointer widths, whichever one is compiled for.
pub trait Measured {
    /// Size in bytes.
    const SIZE: Widths;
}

macro_rules! measured {
    ($($ty:ty: $bits64:literal / $bits32:literal),* $(,)?) => {
        $(impl Measured for $ty {
            const SIZE: Widths = Widths { bits64: $bits64, bits32: $bits32 };
        })*
    };
}

measured!(u8: 1 / 1, i8: 1 / 1, i32: 4 / 4, u32: 4 / 4, f32: 4 / 4, u64: 8 / 8, usize: 8 / 4);

impl<T> Measured for *const T {
    const SIZE: Widths = Widths {
        bits64: 8,
        bits32: 4,
    };
}

impl<T> Measured for *mut T {
    const SIZE: Widths = Widths {
        bits64: 8,
        bits32: 4,
    };
}

/// Nullable function pointers.
macro_rules! measured_functions {
    ($($($arg:ident)*;)*) => {
        $(impl<$($arg,)* R> Measured for Option<unsafe extern "C" fn($($arg),*) -> R> {
            const SIZE: Widths = <*const c_void>::SIZE;
        })*
    };
}

measured_functions! {
    A B C;
    A B C D E;
}

impl<T: Measured, const N: usize> Measured for [T; N] {
    const SIZE: Widths = Widths {
        bits64: N * T::SIZE.bits64,
        bits32: N * T::SIZE.bits32,
    };
}

/// One field of a struct or union.
pub struct FieldLayout {
    /// The vendor's name.
    pub name: &'static str,
    /// The Rust type as written in the group's file.
    pub ty: &'static str,
    /// Offset in bytes.
    pub offset: Widths,
    /// Size in bytes.
    pub size: Widths,
    /// Set where C declares the type in place, without a name.
    pub inline: Option<Inline>,
}

/// A type that C declares in place, and that Rust has to name.
pub enum Inline {
    /// A struct without a type name; its members are reached through the field.
    Struct(&'static StructLayout),
    /// A union without a type or field name; its members look like the outer struct's.
    Union(&'static StructLayout),
}

/// A struct or union.
pub struct StructLayout {
    /// The vendor's name, or ours for a type that C does not name.
    pub name: &'static str,
    /// Size in bytes.
    pub size: Widths,
    /// Fields in order.
    pub fields: &'static [FieldLayout],
}

/// A function or the function behind a callback type.
pub struct FunctionLayout {
    /// The vendor's name.
    pub name: &'static str,
    /// Names and Rust types of the parameters.
    pub params: &'static [(&'static str, &'static str)],
    /// The Rust type returned; `()` for none.
    pub returns: &'static str,
}

/// An enum: its name, then names and values.
pub type EnumLayout = (&'static str, &'static [(&'static str, u32)]);

/// All declarations of one ABI group.
pub struct GroupLayout {
    /// First release of the group, which names it.
    pub name: &'static str,
    /// Structs, without those that C does not name.
    pub structs: &'static [&'static StructLayout],
    /// Enums.
    pub enums: &'static [EnumLayout],
    /// Callback types.
    pub callbacks: &'static [FunctionLayout],
    /// Exported functions.
    pub functions: &'static [FunctionLayout],
}

/// A function address as the dynamic linker returns it.
pub type Address = *mut c_void;

/// Declares a `repr(C)` struct or union: `Name: size64 / size32 { field: Type = offset64 / offset32 }`.
/// `[Struct]` or `[Union]` after the offsets marks a type that C declares in place.
macro_rules! layout {
    ($(
        $(#[$meta:meta])*
        pub $kind:tt $name:ident: $size64:literal / $size32:literal {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $ty:ty = $off64:literal / $off32:literal $([$inline:ident])?
            ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub $kind $name {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        impl $name {
            /// Size, offsets and field sizes on 64-bit and 32-bit targets.
            pub const LAYOUT: super::layout::StructLayout = super::layout::StructLayout {
                name: stringify!($name),
                size: super::layout::Widths { bits64: $size64, bits32: $size32 },
                fields: &[$(super::layout::FieldLayout {
                    name: stringify!($field),
                    ty: stringify!($ty),
                    offset: super::layout::Widths { bits64: $off64, bits32: $off32 },
                    size: <$ty as super::layout::Measured>::SIZE,
                    inline: layout!(@inline $ty $(, $inline)?),
                }),*],
            };

            /// All bytes zero: NULL pointers, zero numbers, false.
            pub const fn zeroed() -> Self {
                // SAFETY: the fields are integers, floats, raw pointers, nullable function
                // pointers and aggregates of these; zero bytes are a value of each.
                unsafe { core::mem::zeroed() }
            }
        }

        impl super::layout::Measured for $name {
            const SIZE: super::layout::Widths = $name::LAYOUT.size;
        }

        const _: () = {
            assert!(size_of::<$name>() == $name::LAYOUT.size.here());
            $(
                assert!(
                    core::mem::offset_of!($name, $field)
                        == super::layout::Widths { bits64: $off64, bits32: $off32 }.here()
                );
                assert!(size_of::<$ty>() == <$ty as super::layout::Measured>::SIZE.here());
            )*
        };
    )*};
    (@inline $ty:ty) => { None };
    (@inline $ty:ty, $inline:ident) => {
        Some(super::layout::Inline::$inline(&<$ty>::LAYOUT))
    };
}

/// Declares the enums of a group as unsigned integers with constants, and `ENUMS` with all of them.
macro_rules! enums {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$value_meta:meta])* $value:ident = $number:literal),* $(,)?
        }
    )*) => {
        $(
            $(#[$meta])*
            pub type $name = u32;
            $($(#[$value_meta])* pub const $value: $name = $number;)*
        )*
        /// All enums of the group.
        pub const ENUMS: &[super::layout::EnumLayout] = &[$(
            (stringify!($name), &[$((stringify!($value), $value)),*])
        ),*];
    };
}

/// Declares callback types (NULL is `None`), and `CALLBACKS` with all of them.
macro_rules! callbacks {
    ($(
        $(#[$meta:meta])*
        pub fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?;
    )*) => {
        $(
            $(#[$meta])*
            pub type $name = Option<unsafe extern "C" fn($($arg: $ty),*) $(-> $ret)?>;
        )*
        /// All callback types of the group.
        pub const CALLBACKS: &[super::layout::FunctionLayout] = &[$(super::layout::FunctionLayout {
            name: stringify!($name),
            params: &[$((stringify!($arg), stringify!($ty))),*],
            returns: functions!(@returns $($ret)?),
        }),*];
    };
}

/// Declares the exported functions of a group as the struct `Functions` of function pointers.
macro_rules! functions {
    (@returns) => { "()" };
    (@returns $ret:ty) => { stringify!($ret) };
    ($(
        $(#[$meta:meta])*
        fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty;
    )*) => {
        /// The functions that a library of this group exports.
        #[derive(Clone, Copy)]
        #[allow(non_snake_case)]
        pub struct Functions {
            $($(#[$meta])* pub $name: unsafe extern "C" fn($($arg: $ty),*) -> $ret,)*
        }

        impl Functions {
            /// Name, parameters and return type of each function.
            pub const TABLE: &'static [super::layout::FunctionLayout] =
                &[$(super::layout::FunctionLayout {
                    name: stringify!($name),
                    params: &[$((stringify!($arg), stringify!($ty))),*],
                    returns: stringify!($ret),
                }),*];

            /// Fills the table by asking `find` for each symbol; the first failure ends it.
            ///
            /// # Safety
            /// `find` returns only non-NULL addresses of functions that have the signature this
            /// group gives to the symbol, and that stay loaded as long as the table is used.
            pub unsafe fn load<E>(
                mut find: impl FnMut(&'static core::ffi::CStr) -> Result<super::layout::Address, E>,
            ) -> Result<Self, E> {
                Ok(Functions {
                    $($name: {
                        const SYMBOL: &core::ffi::CStr = super::layout::symbol(
                            concat!(stringify!($name), "\0"),
                        );
                        let address = find(SYMBOL)?;
                        // SAFETY: the caller vouches for the address and the signature.
                        unsafe {
                            core::mem::transmute::<
                                super::layout::Address,
                                unsafe extern "C" fn($($ty),*) -> $ret,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
}

/// A symbol's name as a C string; `name` ends in its only NUL.
pub const fn symbol(name: &'static str) -> &'static core::ffi::CStr {
    match core::ffi::CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a symbol's name ends in its only NUL"),
    }
}
