package io.penstock.spark.testjobs;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Fails in the way its first argument names: throw, exit, task, heap, executor, library, early. */
public final class Fail {
    private Fail() {}

    public static void main(String[] args) {
        if (args[0].equals("early")) {
            throw new IllegalArgumentException("no such option: it's «broken»");
        }
        SparkSession spark = SparkSession.builder().getOrCreate();
        JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
        switch (args[0]) {
            case "throw":
                throw new IllegalStateException("boom: it's «broken»");
            case "exit":
                System.exit(3);
                break;
            case "heap":
                List<long[]> all = new ArrayList<>();
                while (true) {
                    all.add(new long[1 << 20]);
                }
            case "task":
                context.parallelize(Arrays.asList(1, 2, 0), 1).map(n -> 6 / n).collect();
                break;
            case "executor":
                context.parallelize(Arrays.asList(1, 2, 3), 1).foreach(n -> Runtime.getRuntime().halt(52));
                break;
            case "library":
                spark.read().format("delta").load("/nowhere").show();
                break;
            default:
                throw new IllegalArgumentException(args[0]);
        }
    }
}
