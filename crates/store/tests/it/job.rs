//! Jobs: results grow, inputs stay until dropped.

use crate::common::{read, write};
use carillon_model::JobId;
use carillon_store::Store;

contract! {
    fn a_result_grows(store: &Store) {
        assert_eq!(read(store, |snapshot| snapshot.job_result(JobId(1))), "");
        for text in ["one\n", "", "two\n"] {
            write(store, move |unit| unit.append_job_result(JobId(1), text));
        }
        write(store, |unit| unit.append_job_result(JobId(2), "other"));
        assert_eq!(read(store, |snapshot| snapshot.job_result(JobId(1))), "one\ntwo\n");
    }

    fn an_input_is_kept_until_it_is_dropped(store: &Store) {
        write(store, |unit| unit.put_job_input(JobId(1), b"a,b"));
        write(store, |unit| unit.put_job_input(JobId(1), b"a,b,c"));
        assert_eq!(read(store, |snapshot| snapshot.job_input(JobId(1))).as_deref(), Some(&b"a,b,c"[..]));
        write(store, |unit| unit.drop_job_input(JobId(1)));
        assert_eq!(read(store, |snapshot| snapshot.job_input(JobId(1))), None);
        write(store, |unit| unit.drop_job_input(JobId(1)));
    }
}
