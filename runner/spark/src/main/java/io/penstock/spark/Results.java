package io.penstock.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The first rows of each query, for people to look at: a file {@code statement-N.jsonl} in the run's
 * own directory. Its first line is {@code {"statement":N,"columns":[{"name":…,"type":…}],"rows":…,
 * "truncated":…}}; each further line is one row {@code {"c0":…,"c1":…}}, where a member that is
 * missing is null. Decimals and 64-bit numbers are text, since readers of JSON round them; times carry the offset of the
 * session's time zone. Without a directory the lines go to the log, behind {@code penstock-row }.
 */
final class Results {
    static final String PREFIX = "penstock-row ";
    private static final int MAX_BYTES = 4 << 20;

    /** Null: to the log. */
    private final String directory;
    private final Configuration configuration;
    private final int max;
    private final PrintStream log;
    private long rows;
    private boolean truncated;

    Results(String directory, Configuration configuration, int max, PrintStream log) {
        this.directory = directory;
        this.configuration = configuration;
        this.max = max;
        this.log = log;
    }

    long rows() {
        return rows;
    }

    boolean truncated() {
        return truncated;
    }

    /** Runs the query as far as needed; the name of the file, or null when the rows went to the log. */
    String show(int statement, Dataset<Row> data) throws IOException {
        StructField[] fields = data.schema().fields();
        List<String> lines = json(data, fields).limit(max + 1).toJSON().collectAsList();
        truncated = lines.size() > max;
        rows = 0;
        StringBuilder body = new StringBuilder();
        for (String line : lines.subList(0, Math.min(max, lines.size()))) {
            if (body.length() + line.length() > MAX_BYTES) {
                truncated = true;
                break;
            }
            rows++;
            body.append(line).append('\n');
        }
        Json head = new Json().put("statement", statement).raw("columns", columns(fields));
        String text = head.put("rows", rows).put("truncated", truncated) + "\n" + body;
        if (directory == null) {
            for (String line : text.split("\n")) {
                log.println(PREFIX + line);
            }
            log.flush();
            return null;
        }
        String name = "statement-" + statement + ".jsonl";
        write(name, text);
        return name;
    }

    /** Writes a file into the directory, if there is one. */
    void write(String name, String text) throws IOException {
        if (directory == null) {
            return;
        }
        Path path = new Path(directory, name);
        try (OutputStream out = FileSystem.get(path.toUri(), configuration).create(path, true)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** The same rows with columns that can be told apart and values JSON can carry. */
    private static Dataset<Row> json(Dataset<Row> data, StructField[] fields) {
        String[] names = new String[fields.length];
        Column[] columns = new Column[fields.length];
        for (int i = 0; i < fields.length; i++) {
            names[i] = "c" + i;
            String type = fields[i].dataType().typeName();
            boolean exact = type.startsWith("decimal") || type.equals("long");
            boolean odd = type.contains("interval") || type.equals("variant");
            Column column = functions.col(names[i]);
            columns[i] = exact || odd ? column.cast("string").as(names[i]) : column;
        }
        return data.toDF(names).select(columns);
    }

    private static String columns(StructField[] fields) {
        StringBuilder out = new StringBuilder("[");
        for (StructField field : fields) {
            out.append(out.length() > 1 ? "," : "");
            String type = field.dataType() instanceof StructType ? "struct" : field.dataType().sql().toLowerCase(java.util.Locale.ROOT);
            out.append(new Json().put("name", field.name()).put("type", type));
        }
        return out.append(']').toString();
    }
}
