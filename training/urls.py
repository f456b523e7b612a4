from django.urls import path

from training.views import certificates, courses, editions, exports, extra_time, gallery, quizzes, recalls, replays

app_name = "training"
urlpatterns = [
    # courses/
    path("courses/", courses.course_list, name="course_list"),
    path("courses/<slug:course>/", courses.course, name="course"),
    path("courses/<slug:course>/editions/<int:number>/", editions.edition, name="edition"),
    path("courses/<slug:course>/<slug:module>/quiz/", quizzes.quiz, name="quiz"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/", courses.lesson, name="lesson"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/reading/", courses.reading, name="reading"),
    path("editions/", editions.edition_list, name="edition_list"),
    path("components/", gallery.components, name="components"),
    # attempts/
    path("attempts/<str:uid>/", quizzes.attempt, name="attempt"),
    path("attempts/<str:uid>/answers/<int:position>/", quizzes.answer, name="answer"),
    path("attempts/<str:uid>/result/", quizzes.result, name="result"),
    path("attempts/<str:uid>/as-shown/", replays.as_shown, name="as_shown"),
    path("attempts/<str:uid>/as-shown.pdf", replays.as_shown_file, name="as_shown_file"),
    path("people/<str:uid>/attempts/", replays.attempt_list, name="attempt_list"),
    # extra-time/
    path("extra-time/", extra_time.extra_time_list, name="extra_time_list"),
    path("extra-time/<str:uid>/end/", extra_time.extra_time_end, name="extra_time_end"),
    # recalls/
    path("recalls/", recalls.recall_list, name="recall_list"),
    path("recalls/of/<slug:bank>/<slug:question>/", recalls.recall_begin, name="recall_begin"),
    path("recalls/<str:uid>/", recalls.recall, name="recall"),
    path("recalls/<str:uid>/settle/", recalls.recall_settle, name="recall_settle"),
    # certificates
    path("certificates/", certificates.certificate_list, name="certificate_list"),
    path("certificates/<str:serial>.pdf", certificates.certificate_file, name="certificate_file"),
    path("verify/", certificates.verify_form, name="verify_form"),
    path("verify/<str:serial>/", certificates.verify, name="verify"),
    # exports/
    path("exports/", exports.export_list, name="export_list"),
    path("exports/<str:uid>.zip", exports.export_file, name="export_file"),
]
