import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * What a platform that has Spark would do: write relationships by Neo4j's connector, and read them.
 *
 * Arguments: uri, user, a Parquet file of relationships, and how many to read; the password is on standard input.
 * Prints the seconds that the two took. Run from source by a JDK, so that nothing need be built.
 */
public class SparkConnector {
    private static final String FORMAT = "org.neo4j.spark.DataSource";

    public static void main(String[] arguments) throws Exception {
        String password = new String(System.in.readAllBytes()).strip();
        SparkSession spark = SparkSession.builder()
            .master("local[*]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("neo4j.url", arguments[0])
            .config("neo4j.authentication.basic.username", arguments[1])
            .config("neo4j.authentication.basic.password", password)
            .getOrCreate();
        // One partition, as its manual says: several that meet at a node would wait for each other's locks.
        Dataset<Row> rows = spark.read().parquet(arguments[2]).coalesce(1).cache();
        rows.count();
        long began = System.nanoTime();
        writer(rows).save();
        double written = (System.nanoTime() - began) / 1e9;
        began = System.nanoTime();
        reader(spark, arguments[3]).load().write().format("noop").mode(SaveMode.Overwrite).save();
        double read = (System.nanoTime() - began) / 1e9;
        System.out.println("SECONDS " + written + " " + read);
        spark.stop();
    }

    private static DataFrameWriter<Row> writer(Dataset<Row> rows) {
        return rows.write().format(FORMAT).mode(SaveMode.Overwrite)
            .option("batch.size", "20000")
            .option("relationship", "BENCHMARK_SPARK")
            .option("relationship.save.strategy", "keys")
            .option("relationship.source.labels", ":Account")
            .option("relationship.source.node.keys", "start_id:account_id")
            .option("relationship.source.save.mode", "Match")
            .option("relationship.target.labels", ":IpAddress")
            .option("relationship.target.node.keys", "end_id:ip")
            .option("relationship.target.save.mode", "Match")
            .option("relationship.properties", "first_seen_at,last_seen_at,n_events,n_days,signup");
    }

    private static DataFrameReader reader(SparkSession spark, String n) {
        return spark.read().format(FORMAT)
            .option("partitions", "1")
            .option("query",
                "MATCH (a:Account)-[r:USED_IP]->(b:IpAddress) WITH a, r, b LIMIT " + n
                + " RETURN a.account_id AS start_id, b.ip AS end_id, r.first_seen_at AS first_seen_at,"
                + " r.last_seen_at AS last_seen_at, r.n_events AS n_events, r.n_days AS n_days, r.signup AS signup");
    }
}
