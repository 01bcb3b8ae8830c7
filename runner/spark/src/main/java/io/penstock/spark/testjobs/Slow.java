package io.penstock.spark.testjobs;

import java.util.Arrays;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Runs tasks of a second each, as many as its first argument says. */
public final class Slow {
    private Slow() {}

    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().getOrCreate();
        Integer[] numbers = new Integer[Integer.parseInt(args[0])];
        Arrays.fill(numbers, 1);
        new JavaSparkContext(spark.sparkContext()).parallelize(Arrays.asList(numbers), numbers.length).foreach(n -> Thread.sleep(1000));
        spark.stop();
    }
}
