//! Tables as Parquet: flat, every column may have nulls, Snappy. What the table tells about itself is in the file's
//! key-value metadata.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::record::Field;
use parquet::schema::types::{Type, TypePtr};

use super::frame::{About, Cell, Column, Frame, Kind};

/// Rows that stand together. Fixed, so that the same rows make the same file.
const GROUP_ROWS: usize = 65_536;

pub fn write(frame: &Frame, out: &mut (impl Write + Send)) -> io::Result<()> {
    try_write(frame, out).map_err(io::Error::other)
}

fn try_write(frame: &Frame, out: &mut (impl Write + Send)) -> Result<(), ParquetError> {
    let about = frame.about.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(about))
        .build();
    let mut writer = SerializedFileWriter::new(out, schema(&frame.columns)?, Arc::new(properties))?;
    for rows in frame.rows.chunks(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        let mut index = 0;
        while let Some(column) = group.next_column()? {
            write_column(column, rows.iter().map(|row| &row[index]))?;
            index += 1;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical) = match column.kind {
            Kind::Int => (Physical::INT64, None),
            Kind::Float => (Physical::DOUBLE, None),
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(field))
    };
    let fields = columns.iter().map(field).collect::<Result<_, ParquetError>>()?;
    Type::group_type_builder("sweep").with_fields(fields).build().map(Arc::new)
}

fn write_column<'a>(
    mut column: SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'a Cell> + Clone,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = cells.clone().map(|cell| i16::from(*cell != Cell::Null)).collect();
    let levels = Some(&levels[..]);
    match column.untyped() {
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values: Vec<i64> = cells.filter_map(as_int).collect();
            writer.write_batch(&values, levels, None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let values: Vec<f64> = cells.filter_map(Cell::number).collect();
            writer.write_batch(&values, levels, None)?;
        }
        ColumnWriter::BoolColumnWriter(writer) => {
            let values: Vec<bool> = cells.filter_map(as_bool).collect();
            writer.write_batch(&values, levels, None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<ByteArray> = cells.filter_map(as_bytes).collect();
            writer.write_batch(&values, levels, None)?;
        }
        _ => return Err(ParquetError::General("a column of no kind of ours".into())),
    }
    column.close()
}

fn as_int(cell: &Cell) -> Option<i64> {
    if let Cell::Int(value) = cell { Some(*value) } else { None }
}

fn as_bool(cell: &Cell) -> Option<bool> {
    if let Cell::Bool(value) = cell { Some(*value) } else { None }
}

fn as_bytes(cell: &Cell) -> Option<ByteArray> {
    if let Cell::Text(value) = cell { Some(value.as_str().into()) } else { None }
}

pub fn read(file: File) -> Result<Frame, ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let metadata = reader.metadata().file_metadata();
    let columns = metadata.schema().get_fields().iter().map(|field| column(field));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let about: About = metadata
        .key_value_metadata()
        .into_iter()
        .flatten()
        .filter(|pair| pair.key.starts_with("cartwheel."))
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None)? {
        rows.push(row?.get_column_iter().map(|(name, field)| cell(name, field)).collect::<Result<_, _>>()?);
    }
    Ok(Frame { columns, rows, about })
}

fn column(field: &Type) -> Result<Column, ParquetError> {
    let physical = field.is_primitive().then(|| field.get_physical_type());
    let kind = match physical {
        Some(Physical::INT64) => Kind::Int,
        Some(Physical::DOUBLE) => Kind::Float,
        Some(Physical::BOOLEAN) => Kind::Bool,
        Some(Physical::BYTE_ARRAY) => Kind::Text,
        _ => return Err(foreign(field.name())),
    };
    Ok(Column::new(field.name(), kind))
}

fn cell(name: &str, field: &Field) -> Result<Cell, ParquetError> {
    match field {
        Field::Null => Ok(Cell::Null),
        Field::Long(value) => Ok(Cell::Int(*value)),
        Field::Double(value) => Ok(Cell::Float(*value)),
        Field::Bool(value) => Ok(Cell::Bool(*value)),
        Field::Str(value) => Ok(Cell::Text(value.clone())),
        _ => Err(foreign(name)),
    }
}

fn foreign(name: &str) -> ParquetError {
    ParquetError::General(format!("column {name} is of no kind that a sweep writes"))
}
