//! As much of the GGUF format as the tests need: a model's embeddings read, an adapter written.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

const U32: u32 = 4;
const F32: u32 = 6;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const ALIGNMENT: u64 = 32;

/// Numbers in a block of the tensor type Q8_0, which begins with their scale as an f16.
const BLOCK: usize = 32;
const Q8_0: u32 = 8;

/// The rows of `token_embd.weight` for some ids.
pub fn embeddings(model: &Path, ids: &[i32]) -> Vec<f32> {
    let mut reader = Reader(BufReader::new(File::open(model).unwrap()));
    reader.u32();
    assert_eq!(reader.u32(), 3, "GGUF version");
    let (n_tensors, n_values) = (reader.u64(), reader.u64());
    for _ in 0..n_values {
        reader.string();
        let kind = reader.u32();
        reader.skip(kind);
    }
    let mut wanted = None;
    for _ in 0..n_tensors {
        let name = reader.string();
        let n_dims = reader.u32();
        let dims: Vec<_> = (0..n_dims).map(|_| reader.u64()).collect();
        let (kind, offset) = (reader.u32(), reader.u64());
        if name == "token_embd.weight" {
            wanted = Some((dims[0] as usize, kind, offset));
        }
    }
    let (width, kind, offset) = wanted.unwrap();
    assert_eq!(kind, Q8_0, "the test reads embeddings of type Q8_0");
    let data = reader
        .0
        .stream_position()
        .unwrap()
        .next_multiple_of(ALIGNMENT);
    let row = width / BLOCK * (2 + BLOCK);
    let mut values = Vec::new();
    for id in ids {
        let start = data + offset + (*id as usize * row) as u64;
        reader.0.seek(SeekFrom::Start(start)).unwrap();
        for _ in 0..width / BLOCK {
            let scale = f16(u16::from_le_bytes(reader.bytes()));
            let block: [u8; BLOCK] = reader.bytes();
            values.extend(block.map(|byte| f32::from(byte as i8) * scale));
        }
    }
    values
}

/// A half-precision number that is not denormal, infinite or NaN.
fn f16(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, bits & 1023);
    assert!((1..31).contains(&exponent), "scale {bits:#x}");
    let magnitude = (1.0 + f32::from(fraction) / 1024.0) * 2f32.powi(i32::from(exponent) - 15);
    if sign == 1 { -magnitude } else { magnitude }
}

struct Reader(BufReader<File>);

impl Reader {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    fn string(&mut self) -> String {
        let len = self.u64();
        let mut text = String::new();
        self.0.by_ref().take(len).read_to_string(&mut text).unwrap();
        text
    }

    fn skip(&mut self, kind: u32) {
        let size = match kind {
            STRING => {
                self.string();
                return;
            }
            ARRAY => {
                let (kind, n) = (self.u32(), self.u64());
                (0..n).for_each(|_| self.skip(kind));
                return;
            }
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            other => panic!("value of type {other}"),
        };
        self.0.seek_relative(size).unwrap();
    }
}

/// A LoRA adapter of rank 1 on one tensor of a llama model.
pub struct Lora {
    /// The tensor, without `.lora_a` and `.lora_b`.
    pub tensor: &'static str,
    /// As many numbers as the tensor has inputs.
    pub a: Vec<f32>,
    /// As many numbers as the tensor has outputs.
    pub b: Vec<f32>,
    /// The adapter counts this much.
    pub alpha: f32,
    /// The architecture of the model it says it is for.
    pub architecture: &'static str,
    /// The type of `general.type`: a string where all is well.
    pub kind: u32,
    /// The type of the tensors: 0 is f32.
    pub numbers: u32,
    /// How often a tensor's matrix is there, as for experts.
    pub experts: u64,
}

impl Lora {
    /// An adapter that changes what the last layer's feed-forward part adds, by pattern `n`.
    pub fn new(n: usize, alpha: f32) -> Self {
        let wave = |len: usize| {
            (0..len)
                .map(|i| ((i * (n + 1)) as f32 * 0.37).sin())
                .collect()
        };
        Lora {
            tensor: "blk.29.ffn_down.weight",
            a: wave(1536),
            b: wave(576),
            alpha,
            architecture: "llama",
            kind: STRING,
            numbers: 0,
            experts: 1,
        }
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) {
        let mut file = Vec::from(*b"GGUF");
        put_u32(&mut file, 3);
        put_u64(&mut file, 2);
        put_u64(&mut file, 4);
        put_string(&mut file, "general.type");
        put_u32(&mut file, self.kind);
        match self.kind {
            U32 => put_u32(&mut file, 0),
            _ => put_string(&mut file, "adapter"),
        }
        for (key, value) in [
            ("general.architecture", self.architecture),
            ("adapter.type", "lora"),
        ] {
            put_string(&mut file, key);
            put_u32(&mut file, STRING);
            put_string(&mut file, value);
        }
        put_string(&mut file, "adapter.lora.alpha");
        put_u32(&mut file, F32);
        file.extend(self.alpha.to_le_bytes());
        let mut data = Vec::new();
        for (suffix, values, dims) in [
            ("lora_a", &self.a, [self.a.len(), 1]),
            ("lora_b", &self.b, [1, self.b.len()]),
        ] {
            put_string(&mut file, &format!("{}.{suffix}", self.tensor));
            put_u32(&mut file, 3);
            dims.into_iter()
                .for_each(|dim| put_u64(&mut file, dim as u64));
            put_u64(&mut file, self.experts);
            put_u32(&mut file, self.numbers);
            put_u64(&mut file, data.len() as u64);
            for _ in 0..self.experts {
                data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            data.resize(data.len().next_multiple_of(ALIGNMENT as usize), 0);
        }
        file.resize(file.len().next_multiple_of(ALIGNMENT as usize), 0);
        file.extend(data);
        File::create(path).unwrap().write_all(&file).unwrap();
    }
}

/// A value that is no string.
pub const NUMBER: u32 = U32;

fn put_u32(file: &mut Vec<u8>, value: u32) {
    file.extend(value.to_le_bytes());
}

fn put_u64(file: &mut Vec<u8>, value: u64) {
    file.extend(value.to_le_bytes());
}

fn put_string(file: &mut Vec<u8>, text: &str) {
    put_u64(file, text.len() as u64);
    file.extend(text.bytes());
}
