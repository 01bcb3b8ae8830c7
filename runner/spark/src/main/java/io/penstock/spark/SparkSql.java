package io.penstock.spark;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Runs a SQL script as a Spark application in cluster mode: statement after statement, in one
 * session; the first failure ends it with an exception that names the statement.
 *
 * <p>Arguments: {@code --script-file PATH} (in the container) or {@code --script-uri URI}; {@code
 * --results URI}, the directory for the rows of queries, see {@link Results}; {@code --rows N} (1000),
 * how many of each. Progress goes to standard output, see {@link Events}, and at the end to {@code
 * statements.jsonl} in the results. A user's function that prints in this process can write such lines
 * too: they inform, they prove nothing.
 */
public final class SparkSql {
    /** A script larger than this is not a script. */
    private static final int MAX_BYTES = 64 << 20;

    private String file;
    private String uri;
    private String results;
    private int rows = 1000;

    private SparkSql() {}

    /** Entry point; Spark calls it in the driver's process. */
    public static void main(String[] args) throws Exception {
        // The log's readers expect UTF-8, whatever the locale of the node.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        SparkSql program = parse(args);
        SparkSession spark = SparkSession.builder().getOrCreate();
        List<Statement> statements = Splitter.split(program.script(spark));
        program.run(spark, statements, out);
        spark.stop();
    }

    static SparkSql parse(String[] args) {
        SparkSql program = new SparkSql();
        for (int i = 0; i < args.length; i += 2) {
            if (i + 1 == args.length) {
                throw new IllegalArgumentException("argument " + args[i] + " has no value");
            }
            String value = args[i + 1];
            switch (args[i]) {
                case "--script-file":
                    program.file = value;
                    break;
                case "--script-uri":
                    program.uri = value;
                    break;
                case "--results":
                    program.results = value;
                    break;
                case "--rows":
                    program.rows = Integer.parseInt(value);
                    break;
                default:
                    throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if ((program.file == null) == (program.uri == null)) {
            throw new IllegalArgumentException("one of --script-file and --script-uri is required");
        }
        return program;
    }

    private String script(SparkSession spark) throws IOException {
        if (file != null) {
            return utf8(Files.readAllBytes(Paths.get(file)));
        }
        Path path = new Path(uri);
        try (InputStream in = path.getFileSystem(spark.sparkContext().hadoopConfiguration()).open(path)) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int length = in.read(buffer); length > 0; length = in.read(buffer)) {
                all.write(buffer, 0, length);
                if (all.size() > MAX_BYTES) {
                    throw new IllegalArgumentException("the script is larger than " + (MAX_BYTES >> 20) + " MiB");
                }
            }
            return utf8(all.toByteArray());
        }
    }

    private void run(SparkSession spark, List<Statement> statements, PrintStream out) throws Exception {
        Events events = new Events(out, statements.size());
        Results shown = new Results(results, spark.sparkContext().hadoopConfiguration(), rows, out);
        Written written = new Written();
        spark.sparkContext().addSparkListener(written);
        try {
            for (Statement statement : statements) {
                written.reset();
                // Names the statement in Spark's own pages, and its jobs in their REST interface.
                spark.sparkContext().setJobGroup("statement-" + statement.index, statement.headline(), true);
                Events.Running running = events.start(statement);
                try {
                    Dataset<Row> data = spark.sql(statement.textInPlace());
                    if (statement.kind.showsRows() && data.columns().length > 0) {
                        String name = shown.show(statement.index, data);
                        running.finished(shown.rows(), shown.truncated(), name);
                    } else {
                        running.finished(statement.kind == Statement.Kind.INSERT ? written.count() : -1, false, null);
                    }
                } catch (Exception | LinkageError | StackOverflowError e) {
                    String reason = Reason.of(e);
                    running.failed(reason);
                    throw new ScriptException("statement " + statement.index + " of " + statements.size() + " (line "
                            + statement.line + ": " + statement.headline() + ") failed: " + reason, e);
                }
            }
        } finally {
            shown.write("statements.jsonl", events.summary());
        }
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the script is not UTF-8", e);
        }
    }
}
