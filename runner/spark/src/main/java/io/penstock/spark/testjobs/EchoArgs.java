package io.penstock.spark.testjobs;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * Writes what it was called with to the file named by its first argument: a line with the number of
 * arguments after the first, then each as base64 of its UTF-8, then a line with a sum the executors
 * computed.
 */
public final class EchoArgs {
    private EchoArgs() {}

    public static void main(String[] args) throws Exception {
        StringBuilder text = new StringBuilder().append(args.length - 1).append('\n');
        for (int i = 1; i < args.length; i++) {
            text.append(Base64.getEncoder().encodeToString(args[i].getBytes(StandardCharsets.UTF_8))).append('\n');
        }
        SparkSession spark = SparkSession.builder().getOrCreate();
        List<Integer> numbers = new ArrayList<>();
        for (int i = 1; i <= 1000; i++) {
            numbers.add(i);
        }
        int sum = new JavaSparkContext(spark.sparkContext()).parallelize(numbers, 4).reduce(Integer::sum);
        text.append(sum).append('\n');
        Path file = new Path(args[0]);
        try (OutputStream out = FileSystem.get(file.toUri(), spark.sparkContext().hadoopConfiguration()).create(file, true)) {
            out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        }
        spark.stop();
    }
}
