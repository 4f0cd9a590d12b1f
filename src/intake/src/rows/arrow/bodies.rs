//! Bodies of messages that are compressed, decompressed within a budget: the library would believe how long they are.

use std::io::{self, Read};

use arrow_ipc::{
    Buffer, CompressionType, DictionaryBatch, DictionaryBatchBuilder, FieldNode, RecordBatch, RecordBatchBuilder,
};
use flatbuffers::{FlatBufferBuilder, WIPOffset};
use lz4_flex::frame::FrameDecoder;

use super::super::unpacked::{Budget, Zstd, invalid, torn};

/// What stands in the place of a length where the bytes are as they are.
const PLAIN: i64 = -1;
/// Where a buffer begins in a body.
const ALIGNED: usize = 8;

/// A body as it is without compression, and where its parts are.
pub(super) struct Unpacked {
    /// The body.
    pub(super) body: Vec<u8>,
    buffers: Vec<Buffer>,
}

impl Unpacked {
    /// The body of `batch`; `None` where it is not compressed.
    ///
    /// # Errors
    /// When it is damaged, or longer than the budget.
    pub(super) fn of(batch: &RecordBatch<'_>, body: &[u8], budget: &mut Budget) -> io::Result<Option<Self>> {
        let Some(compression) = batch.compression() else { return Ok(None) };
        let mut unpacked = Self { body: Vec::new(), buffers: Vec::new() };
        for buffer in batch.buffers().into_iter().flatten() {
            let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
            let packed = range
                .and_then(|(start, length)| body.get(start..start.checked_add(length)?))
                .ok_or_else(|| invalid("is damaged: a column does not lie within its message"))?;
            let start = unpacked.body.len();
            append(compression.codec(), packed, &mut unpacked.body, budget)?;
            unpacked.buffers.push(Buffer::new(start as i64, (unpacked.body.len() - start) as i64));
            unpacked.body.resize(unpacked.body.len().next_multiple_of(ALIGNED), 0);
        }
        Ok(Some(unpacked))
    }

    /// What `batch` says, of the body without compression.
    pub(super) fn batch(&self, batch: &RecordBatch<'_>) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let root = self.record_batch(batch, &mut builder);
        builder.finish(root, None);
        builder.finished_data().to_vec()
    }

    /// As [`Unpacked::batch`], of a dictionary whose values are `batch`.
    pub(super) fn dictionary(&self, dictionary: &DictionaryBatch<'_>, batch: &RecordBatch<'_>) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let data = self.record_batch(batch, &mut builder);
        let mut root = DictionaryBatchBuilder::new(&mut builder);
        root.add_id(dictionary.id());
        root.add_isDelta(dictionary.isDelta());
        root.add_data(data);
        let root = root.finish();
        builder.finish(root, None);
        builder.finished_data().to_vec()
    }

    fn record_batch<'b>(
        &self,
        batch: &RecordBatch<'_>,
        builder: &mut FlatBufferBuilder<'b>,
    ) -> WIPOffset<RecordBatch<'b>> {
        let nodes: Vec<FieldNode> = batch.nodes().into_iter().flatten().copied().collect();
        let counts: Option<Vec<i64>> = batch.variadicBufferCounts().map(|counts| counts.iter().collect());
        let nodes = builder.create_vector(&nodes);
        let buffers = builder.create_vector(&self.buffers);
        let counts = counts.map(|counts| builder.create_vector(&counts));
        let mut made = RecordBatchBuilder::new(builder);
        made.add_length(batch.length());
        made.add_nodes(nodes);
        made.add_buffers(buffers);
        if let Some(counts) = counts {
            made.add_variadicBufferCounts(counts);
        }
        made.finish()
    }
}

/// Appends a buffer, before which its length stands.
fn append(codec: CompressionType, packed: &[u8], body: &mut Vec<u8>, budget: &mut Budget) -> io::Result<()> {
    let Some((length, packed)) = packed.split_first_chunk::<8>() else {
        return if packed.is_empty() { Ok(()) } else { Err(invalid("is damaged: a column has no length")) };
    };
    let length = i64::from_le_bytes(*length);
    if length == PLAIN {
        body.extend_from_slice(packed);
        return Ok(());
    }
    let length = u64::try_from(length).map_err(|_| invalid("is damaged: a column has a length below zero"))?;
    budget.take(length)?;
    let start = body.len();
    match codec {
        CompressionType::LZ4_FRAME => FrameDecoder::new(packed).take(length + 1).read_to_end(body),
        CompressionType::ZSTD => Zstd::new(packed).take(length + 1).read_to_end(body),
        _ => return Err(invalid("is compressed in a way that is not read; write it with lz4 or zstd")),
    }
    .map_err(torn)?;
    if (body.len() - start) as u64 != length {
        return Err(invalid(format!("is damaged: a column has not the {length} bytes that it names")));
    }
    Ok(())
}
